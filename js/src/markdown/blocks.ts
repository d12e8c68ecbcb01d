/** Cuts growing Markdown into blocks that are finished, and the one that is still open.
 *
 * Every line is looked at once. A block that grows past a limit is cut at a line, or at a space, so that no piece is
 * ever long to render; the price is a paragraph break in texts that hardly anybody writes. */

import { isMarkdown } from "./languages";
import { ENDS_MATH, OPENS_LONG_MATH, OPENS_MATH } from "./math";

export type BlockKind =
  | ("paragraph" | "list" | "quote" | "table" | "heading" | "math" | "fence" | "indented")
  /** `<details>`, `<summary>…</summary>` and `</details>` on lines of their own. */
  | ("fold" | "summary" | "foldEnd");

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
/** Code in a list is drawn with it. */
const INNER_CODE_LIMIT = 200_000;
const MOST_INDENTED = 2000;

const FENCE = /^ {0,3}(`{3,}(?=[^`]*$)|~{3,})[ \t]*(.*)$/;
const HEADING = /^ {0,3}#{1,6}(?:[ \t]|$)/;
const QUOTE = /^ {0,3}>/;
const ITEM = /^ {0,3}(?:[-+*]|\d{1,9}[.)])(?:[ \t]|$)/;
/** An ordered list may interrupt a paragraph only with 1. */
const INTERRUPTING_ITEM = /^ {0,3}(?:[-+*]|1[.)])[ \t]+\S/;
const RULE = /^ {0,3}(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})$/;
const TABLE_RULE = /^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-*:?[ \t]*)*$/;
const INNER_FENCE = /^([ \t]*(?:(?:>|[-+*]|\d{1,9}[.)])[ \t]+|>)*)(`{3,}(?=[^`]*$)|~{3,})/;
const FOLD = /^ {0,3}<details( open)?>[ \t]*(?:<summary>([^<]*)<\/summary>)?[ \t]*$/;
const SUMMARY = /^ {0,3}<summary>([^<]*)<\/summary>[ \t]*$/;
const FOLD_END = /^ {0,3}<\/details>[ \t]*$/;
const BLANK = /^[ \t]*$/;
const INDENTED = /^(?: {2,}|\t)/;

const ALONE = new Set<BlockKind>(["fence", "fold", "summary", "foldEnd"]);
const isJoinable = ({ kind, tableHead }: Block): boolean => !ALONE.has(kind) && tableHead === "";

/** Whether a formula that begins in this line ends in it. */
function isClosedMath(line: string): boolean {
  const text = line.trim();
  if (text.startsWith("$$")) return (text.split("$$").length - 1) % 2 === 0;
  return text.includes(text.startsWith("\\[") ? "\\]" : "\\end{");
}

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
  /** Fences inside of Markdown in a fence. */
  private nested = 0;
  /** The code in a list or quote that is not closed yet: its fence, and the columns before it. */
  private inner: { mark: string; indent: number; isQuoted: boolean } | null = null;
  private indented = 0;
  private isLongMath = false;
  private folds = 0;
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
    if (this.inner && this.readInnerCode(line, next)) return;
    if (BLANK.test(line)) return this.readBlank(next);
    if (this.endsBefore(line)) return this.close(this.cursor);
    this.start = this.kind === null ? this.cursor : this.start;
    this.lines += 1;
    this.sawBlank = false;
    if (this.kind === null) this.begin(line, next);
    if (this.kind === "list" || this.kind === "quote") this.beginInnerCode(line);
    if (this.cursor === next || this.kind === null) return;
    if (this.kind === "paragraph" && this.lines === 2 && TABLE_RULE.test(line) && line.includes("-"))
      this.beginTable(next);
    this.cursor = next;
    this.cutLongBlock();
  }

  private begin(line: string, next: number): void {
    this.cursor = next;
    const fence = FENCE.exec(line);
    const isClosed = OPENS_MATH.test(line) && isClosedMath(line);
    if (fence) {
      this.kind = "fence";
      this.fence = fence[1] ?? "";
      this.fenceInfo = fence[2] ?? "";
      this.nested = 0;
      this.start = next;
    } else if (this.readFold(line, next)) {
      return;
    } else if (HEADING.test(line) || RULE.test(line)) {
      this.kind = "heading";
      this.close(next);
    } else if (isClosed && ENDS_MATH.test(line)) {
      this.kind = "math";
      this.close(next);
    } else if (OPENS_MATH.test(line) && !isClosed) {
      this.kind = "math";
      this.isLongMath = OPENS_LONG_MATH.test(line);
    } else if (QUOTE.test(line)) this.kind = "quote";
    else if (ITEM.test(line)) this.kind = "list";
    else this.kind = /^(?: {4}|\t)/.test(line) ? "indented" : "paragraph";
  }

  /** Takes the line if it begins, names or ends a part that folds. */
  private readFold(line: string, next: number): boolean {
    const fold = FOLD.exec(line);
    const summary = this.folds > 0 ? SUMMARY.exec(line) : null;
    if (fold) {
      this.folds += 1;
      this.emit("fold", fold[2] ?? "", fold[1] ?? "");
    } else if (summary) this.emit("summary", summary[1] ?? "");
    else if (this.folds > 0 && FOLD_END.test(line)) {
      this.folds -= 1;
      this.emit("foldEnd", "");
    } else return false;
    this.close(next);
    return true;
  }

  private emit(kind: BlockKind, text: string, info = ""): void {
    this.closed.push({ kind, text, info, tableHead: "" });
    this.kind = null;
  }

  private beginInnerCode(line: string): void {
    const fence = INNER_FENCE.exec(line);
    if (!fence) return;
    const [, before = "", mark = ""] = fence;
    this.inner = { mark, indent: before.length, isQuoted: before.includes(">") };
  }

  /** Takes a line of code in a list or quote, until it is closed; false when the quote ended before. */
  private readInnerCode(line: string, next: number): boolean {
    const { inner } = this;
    if (!inner) return false;
    if (inner.isQuoted && !line.includes(">")) {
      this.inner = null;
      return false;
    }
    const text = line.replace(inner.isQuoted ? /^[ \t>]*/ : /^[ \t]*/, "");
    this.lines += 1;
    this.sawBlank = false;
    this.cursor = next;
    if (isClosing(text, inner.mark)) this.inner = null;
    const missing = inner.indent - (line.length - text.length);
    if (!inner.isQuoted && text !== "" && missing > 0 && this.indented < MOST_INDENTED) {
      // Code that is not indented as its list demands is meant as code all the same.
      this.indented += 1;
      const at = next - line.length - (this.text[next - 1] === "\n" ? 1 : 0);
      this.text = this.text.slice(0, at) + " ".repeat(missing) + this.text.slice(at);
      this.cursor += missing;
    }
    this.cutLongBlock();
    return true;
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
    if (FOLD.test(line) || (this.folds > 0 && (SUMMARY.test(line) || FOLD_END.test(line)))) return true;
    if (this.kind === "paragraph" || this.kind === "table") {
      return QUOTE.test(line) || INTERRUPTING_ITEM.test(line) || OPENS_MATH.test(line);
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
    const isEnd = /^ {0,3}[`~]/.test(line) && isClosing(line.trimStart(), this.fence);
    if (isEnd && this.nested === 0) return this.close(this.cursor, next);
    this.cursor = next;
    if (isEnd) this.nested -= 1;
    else if (isMarkdown(this.fenceInfo) && isNested(line, this.fence)) this.nested += 1;
  }

  private readMathLine(line: string, next: number): void {
    if (BLANK.test(line) && !this.isLongMath) {
      this.kind = "paragraph";
      return this.readBlank(next);
    }
    if (FENCE.test(line)) return this.close(this.cursor);
    this.cursor = next;
    if (ENDS_MATH.test(line)) this.close(next);
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
    this.inner = null;
    this.head = "";
    this.isCutTable = false;
  }

  private cutLongBlock(): void {
    const length = this.cursor - this.start;
    if (this.inner && length < INNER_CODE_LIMIT) return;
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
    if (this.inner && end - this.start < INNER_CODE_LIMIT) return false;
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

const isClosing = (text: string, fence: string): boolean => {
  const mark = /^(`{3,}|~{3,})[ \t]*$/.exec(text)?.[1];
  return mark !== undefined && mark[0] === fence[0] && mark.length >= fence.length;
};

const isNested = (line: string, fence: string): boolean => {
  const inner = FENCE.exec(line);
  return inner?.[1]?.[0] === fence[0] && inner?.[1]?.length === fence.length && inner?.[2] !== "";
};
