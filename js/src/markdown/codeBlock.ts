/** One block of code: its language, buttons, and text that can grow while it streams. */

import { copy } from "../ui/clipboard";
import { hasHidden, showHidden, visible } from "../ui/hidden";
import type { MarkdownContext } from "./context";
import { highlight } from "./highlight";
import { whenIdle } from "./schedule";

/** Lines share an element up to this length, so that growing text lays out only its end. */
const PART_CHARACTERS = 4000;
/** Longer code stays plain: colouring it would block the page. */
const MOST_COLOURED = 20_000;
const SAID_FOR_MS = 2000;

export class CodeBlock {
  readonly element = document.createElement("div");
  private readonly code = document.createElement("code");
  private readonly note = document.createElement("span");
  private readonly actions: HTMLButtonElement[] = [];
  private part: HTMLElement | null = null;
  private partLength = 0;
  private text = "";

  constructor(
    private readonly language: string,
    private readonly context: MarkdownContext,
  ) {
    this.element.className = "rb-code";
    this.element.dir = "ltr";
    const pre = document.createElement("pre");
    // A block wider than the bubble scrolls, by keyboard too.
    pre.tabIndex = 0;
    pre.append(this.code);
    this.code.className = language ? `hljs language-${language}` : "hljs";
    this.element.append(this.makeHead(), pre);
  }

  /** Adds text at the end. */
  append(text: string): void {
    if (text === "") return;
    this.text += text;
    for (let rest = text; rest !== ""; ) {
      if (!this.part || this.partLength >= PART_CHARACTERS) this.startPart();
      const end = rest.indexOf("\n", Math.max(0, PART_CHARACTERS - this.partLength));
      const piece = end < 0 ? rest : rest.slice(0, end + 1);
      this.write(piece);
      // A part ends with a line, or its last line would be torn in two.
      if (end >= 0) this.partLength = PART_CHARACTERS;
      rest = rest.slice(piece.length);
    }
  }

  /** No more text comes: now it is worth colouring. */
  close(): void {
    if (hasHidden(this.text)) this.say("contains hidden characters", true);
    if (this.language === "") return;
    if (this.text.length > MOST_COLOURED) return;
    whenIdle(() => {
      const coloured = highlight(this.text, this.language);
      if (!coloured) return;
      showHidden(coloured);
      this.code.replaceChildren(coloured);
    });
  }

  private startPart(): void {
    this.part = document.createElement("span");
    this.part.className = "rb-code-part";
    this.partLength = 0;
    this.code.append(this.part);
  }

  private write(text: string): void {
    const last = this.part?.lastChild;
    this.partLength += text.length;
    if (hasHidden(text)) this.part?.append(...visible(text));
    else if (last instanceof Text) last.appendData(text);
    else this.part?.append(text);
  }

  private makeHead(): HTMLElement {
    const head = document.createElement("div");
    head.className = "rb-code-head";
    const label = document.createElement("span");
    label.className = "rb-code-language";
    label.textContent = this.language || "text";
    this.note.className = "rb-code-note";
    this.note.setAttribute("role", "status");
    this.addAction("Copy", async () => ((await copy(this.text)) ? "Copied" : "Copying was refused"));
    this.addAction("Insert below", () => this.context.place("insert-below", this.text));
    this.addAction("Replace cell", () => this.context.place("replace-cell", this.text));
    head.append(label, this.note, ...this.actions);
    return head;
  }

  private addAction(label: string, act: () => Promise<string>): void {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "rb-code-action";
    button.textContent = label;
    button.addEventListener("click", async () => this.say(await act()));
    this.actions.push(button);
  }

  private say(text: string, isWarning = false): void {
    this.note.textContent = text;
    this.note.classList.toggle("rb-code-warning", isWarning);
    if (isWarning) return;
    setTimeout(() => {
      if (this.note.textContent === text) this.note.textContent = "";
    }, SAID_FOR_MS);
  }
}
