/** What Markdown in this chat can ask for: the notebook, the question before a link, formulas. */

import { type ReadonlySignal, signal } from "@preact/signals";
import { LIBRARY_TIMEOUT_MS, type Libraries, loadLibrary, type Markdown } from "../libraries/loader";
import type { MarkdownContext } from "../markdown/context";
import type { Store } from "../state/store";
import { copy } from "../ui/clipboard";
import type { View } from "../view";
import { Formulas } from "./formulas";

export interface ChatContext extends MarkdownContext {
  /** The library that draws Markdown, once it is there. */
  readonly markdown: ReadonlySignal<Markdown | null>;
  /** Asks for that library, again if it did not come. */
  loadMarkdown(): void;
}

export function makeMarkdownContext(store: Store, view: View): ChatContext {
  const markdown = signal<Markdown | null>(null);
  const load = <N extends keyof Libraries>(name: N) =>
    loadLibrary(name, () => store.library(name, LIBRARY_TIMEOUT_MS));

  const formulas = new Formulas(() => load("katex"));

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
      formulas.add({ tex, element, isBlock });
    },
  };
}
