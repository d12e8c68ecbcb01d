/** What Markdown in this chat can ask for: the notebook, the question before a link, formulas. */

import { type ReadonlySignal, signal } from "@preact/signals";
import { type Katex, type Libraries, loadLibrary, type Markdown } from "../libraries/loader";
import type { MarkdownContext } from "../markdown/context";
import type { Store } from "../state/store";
import { copy } from "../ui/clipboard";
import type { View } from "../view";

const LIBRARY_TIMEOUT_MS = 20_000;

export interface ChatContext extends MarkdownContext {
  /** The library that draws Markdown, once it is there. */
  readonly markdown: ReadonlySignal<Markdown | null>;
  /** Asks for that library, again if it did not come. */
  loadMarkdown(): void;
}

export function makeMarkdownContext(store: Store, view: View): ChatContext {
  const markdown = signal<Markdown | null>(null);
  let katex: Katex | null = null;
  const load = <N extends keyof Libraries>(name: N) =>
    loadLibrary(name, () => store.library(name, LIBRARY_TIMEOUT_MS));

  return {
    markdown,
    loadMarkdown() {
      if (markdown.peek()) return;
      load("markdown").then(
        (loaded) => {
          markdown.value = loaded;
        },
        // Answers are readable as they were written, and the next one asks again.
        (error) => console.warn("[rustbot]", error),
      );
    },
    async place(command, text) {
      const event = new CustomEvent("rustbot:command", {
        bubbles: true,
        cancelable: true,
        composed: true,
        detail: { command, text },
      });
      view.element.dispatchEvent(event);
      // Whoever took it prevents the default.
      if (event.defaultPrevented) return command === "insert-below" ? "Inserted below" : "Replaced";
      return (await copy(text)) ? "Copied - paste it into a cell" : "Copying was refused";
    },
    openLink(url, anchor) {
      view.linkToOpen.value = { url, anchor };
    },
    drawMath(tex, element, isBlock) {
      if (katex) return drawFormula(katex, tex, element, isBlock);
      load("katex").then(
        (loaded) => {
          katex = loaded;
          drawFormula(loaded, tex, element, isBlock);
        },
        () => element.classList.add("rb-math-failed"),
      );
    },
  };
}

/** A formula that KaTeX cannot read stays as its source. */
function drawFormula(katex: Katex, tex: string, element: HTMLElement, isBlock: boolean): void {
  const drawing = document.createElement("span");
  try {
    katex.draw(tex, drawing, isBlock);
    element.replaceChildren(...drawing.childNodes);
    element.classList.add("rb-math-drawn");
  } catch (error) {
    element.classList.add("rb-math-failed");
    element.title = error instanceof Error ? error.message : "This formula cannot be drawn.";
  }
}
