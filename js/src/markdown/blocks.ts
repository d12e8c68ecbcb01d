/** Cuts growing Markdown into blocks that are finished, and the one that is still open.
 *
 * Every line is looked at once. A block that grows past a limit is cut at a line, or at a space, so that no piece is
 * ever long to render; the price is a paragraph break in texts that hardly anybody writes. */

export type BlockKind = "paragraph" | "list" | "quote" | "table" | "heading" | "math" | "fence" | "indented";

export interface Block {
  kind: BlockKind;
  /** The source; of a fence only what is inside. */
  text: string;
  /** Of a fence: what follows the marks. */
  info: string;
  /** Of the later pieces of a cut table: its first two lines. */
  tableHead: string;
}

/** Drawing so much once more, and laying it out, fits into a frame. */
const SOFT_LIMIT = 3000;
const HARD_LIMIT = 6000;
/** Drawing blocks one by one costs more than drawing a few together. */
const JOINED_LENGTH = 1500;
const IMAGE_LIMIT = 3_000_000;

const FENCE = /^ {0,3}(`{3,}(?=[^`]*$)|~{3,})[ \t]*(.*)$/;
const HEADING = /^ {0,3}#{1,6}(?:[ \t]|$)/;
const QUOTE = /^ {0,3}>/;
const ITEM = /^ {0,3}(?:[-+*]|\d{1,9}[.)])(?:[ \t]|$)/;
/** An ordered list may interrupt a paragraph only with 1. */
const INTERRUPTING_ITEM = /^ {0,3}(?:[-+*]|1[.)])[ \t]+\S/;
const RULE = /^ {0,3}(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})$/;
const TABLE_RULE = /^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-*:?[ \t]*)*$/;
const MATH = /^ {0,3}(?:\$\$|\\\[)/;
const MATH_END = /(?:\$\$|\\\])[ \t]*$/;
const ONE_LINE_MATH = /^ {0,3}(?:\$\$.+\$\$|\\\[.+\\\])[ \t]*$/;
const BLANK = /^[ \t]*$/;
const INDENTED = /^(?: {2,}|\t)/;

const isJoinable = ({ kind, tableHead }: Block): boolean => kind !== "fence" && tableHead === "";

export class BlockSplitter {
  private text = "";
  /** Where the open block begins, and where the first line is that was not looked at. */
  private start = 0;
  private cursor = 0;
  private kind: BlockKind | null = null;
  private lines = 0;
  private sawBlank = false;
  private fence = "";
  private fenceInfo = "";
  private head = "";
  private isCutTable = false;
  private readonly closed: Block[] = [];
  private ahead: Block | null = null;

  append(text: string): void {
    this.text += text;
  }

  /** The next finished block, or null when there is only an open one. Small ones that are there come together. */
  next(isFinal: boolean): Block | null {
    const first = this.ahead ?? this.nextBlock(isFinal);
    this.ahead = null;
    if (!first || !isJoinable(first)) return first;
    let text = first.text;
    while (text.length < JOINED_LENGTH) {
      const more = this.nextBlock(isFinal);
      if (!more) break;
      if (isJoinable(more)) text += more.text;
      else {
        this.ahead = more;
        break;
      }
    }
    return { ...first, text };
  }

  private nextBlock(isFinal: boolean): Block | null {
    while (this.closed.length === 0) {
      const end = this.text.indexOf("\n", this.cursor);
      if (this.cutLongLine(end < 0 ? this.text.length : end)) continue;
      if (end >= 0) this.readLine(this.text.slice(this.cursor, end), end + 1);
      else if (isFinal && this.cursor < this.text.length)
        this.readLine(this.text.slice(this.cursor), this.text.length);
      else if (isFinal && this.kind) this.close(this.text.length);
      else return null;
    }
    this.forget();
    return this.closed.shift() ?? null;
  }

  /** The block that is still growing, with its unfinished last line; null when there is none. */
  open(): Block | null {
    const rest = this.text.slice(this.start);
    if (BLANK.test(rest)) return null;
    if (this.kind === "fence") return this.openFence();
    // Whether backticks begin a code block shows only when their line is whole.
    const isMaybeFence = /^ {0,3}(?:`|~~)/.test(this.text.slice(this.cursor));
    const text = isMaybeFence ? this.text.slice(this.start, this.cursor) : rest;
    return BLANK.test(text) ? null : this.block(text, this.kind ?? "paragraph");
  }

  private openFence(): Block {
    const body = this.text.slice(this.start);
    const unread = this.text.slice(this.cursor);
    // The last line may become the closing fence.
    const isMaybeEnd = /^ {0,3}[`~]+$/.test(unread);
    return this.block(isMaybeEnd ? body.slice(0, body.length - unread.length) : body, "fence");
  }

  private readLine(line: string, next: number): void {
    if (this.kind === "fence") return this.readFenceLine(line, next);
    if (this.kind === "math") return this.readMathLine(line, next);
    if (BLANK.test(line)) return this.readBlank(next);
    if (this.endsBefore(line)) return this.close(this.cursor);
    this.start = this.kind === null ? this.cursor : this.start;
    this.lines += 1;
    this.sawBlank = false;
    if (this.kind === null) return this.begin(line, next);
    if (this.kind === "paragraph" && this.lines === 2 && TABLE_RULE.test(line) && line.includes("-"))
      this.beginTable(next);
    this.cursor = next;
    this.cutLongBlock();
  }

  private begin(line: string, next: number): void {
    this.cursor = next;
    const fence = FENCE.exec(line);
    if (fence) {
      this.kind = "fence";
      this.fence = fence[1] ?? "";
      this.fenceInfo = fence[2] ?? "";
      this.start = next;
    } else if (HEADING.test(line) || RULE.test(line)) {
      this.kind = "heading";
      this.close(next);
    } else if (ONE_LINE_MATH.test(line)) {
      this.kind = "math";
      this.close(next);
    } else if (MATH.test(line)) this.kind = "math";
    else if (QUOTE.test(line)) this.kind = "quote";
    else if (ITEM.test(line)) this.kind = "list";
    else this.kind = /^(?: {4}|\t)/.test(line) ? "indented" : "paragraph";
  }

  private beginTable(next: number): void {
    const head = this.text.slice(this.start, next);
    if (!head.includes("|")) return;
    this.kind = "table";
    this.head = head;
  }

  private endsBefore(line: string): boolean {
    if (this.kind === null) return false;
    if (this.sawBlank) {
      const goesOn = this.kind === "list" && (INDENTED.test(line) || ITEM.test(line));
      return !goesOn && !(this.kind === "indented" && INDENTED.test(line));
    }
    if (FENCE.test(line) && !(this.kind === "list" && INDENTED.test(line))) return true;
    if (HEADING.test(line)) return true;
    if (this.kind === "paragraph" || this.kind === "table") {
      return QUOTE.test(line) || INTERRUPTING_ITEM.test(line) || MATH.test(line);
    }
    return false;
  }

  private readBlank(next: number): void {
    if (this.kind === null) this.start = next;
    this.cursor = next;
    this.sawBlank = this.kind !== null;
    // Nothing can follow a blank line in these.
    if (this.kind === "paragraph" || this.kind === "quote" || this.kind === "table") this.close(next);
  }

  private readFenceLine(line: string, next: number): void {
    const mark = /^ {0,3}(`{3,}|~{3,})[ \t]*$/.exec(line)?.[1];
    const isEnd = mark !== undefined && mark[0] === this.fence[0] && mark.length >= this.fence.length;
    if (isEnd) this.close(this.cursor, next);
    else this.cursor = next;
  }

  private readMathLine(line: string, next: number): void {
    if (BLANK.test(line)) {
      this.kind = "paragraph";
      return this.readBlank(next);
    }
    this.cursor = next;
    if (MATH_END.test(line)) this.close(next);
    else this.cutLongBlock();
  }

  /** Ends the open block at `end`; the next one begins at `next`. */
  private close(end: number, next = end): void {
    if (this.kind) this.closed.push(this.block(this.text.slice(this.start, end), this.kind));
    this.start = next;
    this.cursor = next;
    this.kind = null;
    this.lines = 0;
    this.sawBlank = false;
    this.head = "";
    this.isCutTable = false;
  }

  private cutLongBlock(): void {
    const length = this.cursor - this.start;
    if (length < SOFT_LIMIT || (length < IMAGE_LIMIT && this.hasImageData(this.cursor))) return;
    const nextLine = this.text.slice(this.cursor, this.cursor + 8);
    // A list is cut before an item of its first level, if one comes in time.
    if (this.kind === "list" && !/^(?:[-+*]|\d)/.test(nextLine) && length < 2 * SOFT_LIMIT) return;
    const { kind, head } = this;
    this.close(this.cursor);
    if (kind !== "table") return;
    // Its rows go on as rows; what other blocks go on as, their next line says.
    this.kind = kind;
    this.head = head;
    this.isCutTable = true;
    this.lines = 2;
  }

  private hasImageData(end: number): boolean {
    return this.kind === "paragraph" && this.text.slice(this.start, end).includes("](data:image/");
  }

  /** A line far too long that ends, for now, at `end`; true when a piece was cut from it. */
  private cutLongLine(end: number): boolean {
    if (this.kind === "fence" || end - this.start < HARD_LIMIT) return false;
    if (end - this.start < IMAGE_LIMIT && this.text.slice(this.cursor, end).includes("](data:image/"))
      return false;
    const from = Math.max(this.start, this.cursor);
    const space = this.text.lastIndexOf(" ", from + SOFT_LIMIT);
    this.kind ??= "paragraph";
    this.close(space > from ? space + 1 : from + SOFT_LIMIT);
    return true;
  }

  private block(text: string, kind: BlockKind): Block {
    const info = kind === "fence" ? this.fenceInfo : "";
    return { kind, text, info, tableHead: this.isCutTable ? this.head : "" };
  }

  /** Drops text that was cut off, so that a long answer is not held twice. */
  private forget(): void {
    if (this.start < 65_536) return;
    this.text = this.text.slice(this.start);
    this.cursor -= this.start;
    this.start = 0;
  }
}
