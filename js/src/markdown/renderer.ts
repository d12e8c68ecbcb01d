/** One answer in the page: finished blocks are drawn once and stay, only the open one is drawn again. */

import { type Block, BlockSplitter } from "./blocks";
import { CodeBlock } from "./codeBlock";
import type { MarkdownContext } from "./context";
import { decorate, drawFormulas } from "./decorate";
import { FoldStack } from "./folds";
import { languageOf } from "./languages";
import { isTooWild } from "./limits";
import { LongTable } from "./longTable";
import { type LinkTargets, toHtml } from "./parse";
import { sanitize } from "./sanitize";
import { cancelFrames, type FrameTask, runInFrames } from "./schedule";
import { skipUnseen } from "./skipping";
import { closeOpenMarks } from "./tail";

/** Drawing the open block may take this share of the time. */
const TAIL_SHARE = 0.2;
/** What drawing one answer may cost, at most, whatever its length, and more for each character. */
const DRAWING_MS = 1500;
const DRAWING_MS_PER_CHARACTER = 0.03;
/** A longer answer is not drawn a second time for the sake of its links. */
const MOST_REDRAWN = 200_000;
/** More formulas or pieces of code than that in one answer stay as their source. */
const MOST_FORMULAS = 400;
const MOST_FENCES = 1000;
/** Plain text comes in paragraphs of about this length. */
const PLAIN_CHARACTERS = 8000;
/** Finished blocks share an element, which the browser can skip as a whole while it is out of sight. */
const BLOCKS_PER_SECTION = 24;

/** Draws into `root`; `clock` tells what drawing has cost, in milliseconds. */
export class MarkdownRenderer implements FrameTask {
  private splitter = new BlockSplitter();
  private targets: LinkTargets = {};
  private received = "";
  private isFinal = false;
  private section: HTMLElement | null = null;
  private readonly tail = document.createElement("div");
  private readonly folds = new FoldStack();
  private openFence: { code: CodeBlock; length: number } | null = null;
  private drawnTail = "";
  private isRedrawn = false;
  private formulas = 0;
  private fences = 0;
  private plainText: Text | null = null;
  private table: LongTable | null = null;
  private drawingMs = 0;
  private nextTailAt = 0;

  constructor(
    private readonly root: HTMLElement,
    private readonly context: MarkdownContext,
    private readonly clock: () => number = () => performance.now(),
  ) {
    this.tail.className = "rb-open-block";
    this.reset();
  }

  /** Shows `text`, soon; `isFinal` when nothing more will come. */
  update(text: string, isFinal: boolean): void {
    if (!text.startsWith(this.received)) this.reset();
    let added = text.slice(this.received.length);
    // Half of a line break is not one yet.
    if (!isFinal && added.endsWith("\r")) added = added.slice(0, -1);
    this.received += added;
    this.splitter.append(added.replace(/\r\n?/g, "\n"));
    this.isFinal = isFinal;
    runInFrames(this);
  }

  /** Draws all there is, at once. */
  finish(): void {
    this.nextTailAt = 0;
    while (this.step(Number.POSITIVE_INFINITY));
    cancelFrames(this);
  }

  dispose(): void {
    cancelFrames(this);
  }

  step(deadline: number): boolean {
    do {
      const block = this.splitter.next(this.isFinal);
      if (!block) {
        if (this.isFinal && this.needsLinks()) return this.redraw();
        // What folds and never ends would hide the rest of the answer.
        if (this.isFinal) this.folds.unfoldOpen();
        if (this.isFinal && this.section) skipUnseen(this.section);
        return this.drawTail();
      }
      const start = this.clock();
      if (this.drawingMs > this.mostDrawingMs()) this.drawPlain(block);
      else if (block.kind === "fence" && ++this.fences > MOST_FENCES) this.drawPlain(block);
      else this.drawClosed(block);
      this.drawingMs += this.clock() - start;
    } while (performance.now() < deadline);
    return true;
  }

  /** Whether links may lead to targets that were named only after them. */
  private needsLinks(): boolean {
    return !this.isRedrawn && Object.keys(this.targets).length > 0 && this.received.length < MOST_REDRAWN;
  }

  private redraw(): boolean {
    const { received, targets } = this;
    this.reset();
    this.isRedrawn = true;
    Object.assign(this.targets, targets);
    this.update(received, true);
    return true;
  }

  private reset(): void {
    this.splitter = new BlockSplitter();
    this.targets = {};
    this.received = "";
    this.isRedrawn = false;
    this.drawingMs = 0;
    this.formulas = 0;
    this.fences = 0;
    this.plainText = null;
    this.section = null;
    this.folds.reset();
    this.openFence = null;
    this.table = null;
    this.clearTail();
    this.root.replaceChildren(this.tail);
  }

  private mostDrawingMs(): number {
    return DRAWING_MS + DRAWING_MS_PER_CHARACTER * this.received.length;
  }

  /** The rest of an answer that was made to be slow. */
  private drawPlain(block: Block): void {
    this.openFence = null;
    this.clearTail();
    if (!this.plainText || this.plainText.length > PLAIN_CHARACTERS) {
      const paragraph = plain("");
      this.plainText = document.createTextNode("");
      paragraph.firstElementChild?.append(this.plainText);
      this.keep(paragraph);
    }
    this.plainText.appendData(block.text);
  }

  private drawClosed(block: Block): void {
    if (block.kind === "fence") return this.closeFence(block);
    this.clearTail();
    if (block.kind === "fold" || block.kind === "summary" || block.kind === "foldEnd")
      return this.fold(block);
    const nodes = this.render(block.text, block.tableHead, this.targets);
    this.formulas += nodes.querySelectorAll(".rb-math").length;
    const table = [...nodes.querySelectorAll("table")].at(-1) ?? null;
    if (block.tableHead && this.table && table) return this.table.add(table);
    this.table = table && new LongTable(table);
    this.keep(nodes);
  }

  private fold({ kind, text, info }: Block): void {
    this.table = null;
    if (kind === "summary") return this.folds.name(text);
    if (kind === "foldEnd") this.folds.end();
    else this.folds.begin(this.tail, text, info !== "");
    this.section = null;
  }

  private closeFence(block: Block): void {
    const code = this.growFence(block);
    this.openFence = null;
    code.close();
  }

  private growFence(block: Block): CodeBlock {
    if (!this.openFence) {
      this.openFence = { code: new CodeBlock(languageOf(block.info), this.context), length: 0 };
      this.clearTail();
      // Where it stays: moving a long block would lay all of it out again.
      this.keep(this.openFence.code.element);
    }
    const { code, length } = this.openFence;
    // The line break before the closing fence belongs to the fence; an open block may not have it yet.
    const body = block.text.endsWith("\n") ? block.text.slice(0, -1) : block.text;
    code.append(body.slice(length));
    this.openFence.length = Math.max(length, body.length);
    return code;
  }

  /** Draws the open block; true when it must be drawn later, because drawing it is costly. */
  private drawTail(): boolean {
    const block = this.splitter.open();
    if (!block) this.clearTail();
    else if (block.kind === "fence") this.growFence(block);
    else if (block.text !== this.drawnTail) {
      const now = performance.now();
      if (now < this.nextTailAt) return true;
      const nodes = this.render(closeOpenMarks(block.text), block.tableHead, { ...this.targets });
      const rows = nodes.querySelector("table");
      if (block.tableHead && this.table && rows) this.table.showOpen(rows);
      else this.tail.replaceChildren(nodes);
      this.drawnTail = block.text;
      const end = performance.now();
      this.nextTailAt = end + (end - now) * (1 / TAIL_SHARE - 1);
    }
    return false;
  }

  private clearTail(): void {
    this.table?.dropOpen();
    this.tail.replaceChildren();
    this.drawnTail = "";
  }

  private keep(nodes: Node): void {
    if (!this.section || this.section.childElementCount >= BLOCKS_PER_SECTION) {
      if (this.section) skipUnseen(this.section);
      this.section = document.createElement("div");
      this.section.className = "rb-section";
      this.tail.before(this.section);
    }
    this.section.append(nodes);
  }

  private render(markdown: string, tableHead: string, targets: LinkTargets): DocumentFragment {
    const source = tableHead + markdown;
    if (isTooWild(source)) return plain(markdown);
    try {
      const nodes = sanitize(toHtml(source, targets));
      decorate(nodes, this.context);
      if (this.formulas < MOST_FORMULAS) drawFormulas(nodes, this.context);
      return nodes;
    } catch {
      // What the parser gives up on (too deep a nesting, mostly) can still be read.
      return plain(markdown);
    }
  }
}

function plain(text: string): DocumentFragment {
  const nodes = document.createDocumentFragment();
  const paragraph = document.createElement("p");
  paragraph.className = "rb-plain";
  paragraph.textContent = text;
  nodes.append(paragraph);
  return nodes;
}
