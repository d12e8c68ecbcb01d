/** What Markdown of models has in a line beyond the standard: simple HTML marks, footnotes, emphasis beside Chinese,
 * Japanese and Korean punctuation. */

import type { MarkedExtension, TokenizerAndRendererExtension, Tokens } from "marked";
import { escapeHtml } from "./escape";

const NAMES = "b|code|del|em|i|ins|kbd|mark|s|small|strong|sub|sup|u";
const MARK = new RegExp(`^<(${NAMES})>([\\s\\S]*?)</\\1>`, "i");
const BREAK = /^<br\s*\/?>/i;
const FOOTNOTE = /^\[\^([\w-]{1,40})\](:[ \t]+)?/;
/** At the start of a line it is the note itself. */
export const FOOTNOTE_TEXT = /^[ >]{0,20}\[\^([\w-]{1,40})\]:/gm;
export const footnoteKey = (label: string): string => `^${label}`;

const EMPHASIS = /^(\*{1,3})(?![\s*])([^*\n]*[^\s*])\1(?!\*)/;
const PUNCTUATION = /[\p{P}\p{S}]/u;
const CJK = /[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]/;

/** A mark counts only when it is closed in its own paragraph; any other tag is text. */
const mark: TokenizerAndRendererExtension = {
  name: "mark",
  level: "inline",
  start: (src) => startOf(src, /<(?!\/)/),
  tokenizer(src) {
    const lineBreak = BREAK.exec(src);
    if (lineBreak) return { type: "mark", raw: lineBreak[0], tag: "br" };
    const found = MARK.exec(src);
    if (!found) return;
    const inner = found[2] ?? "";
    return {
      type: "mark",
      raw: found[0],
      tag: (found[1] ?? "").toLowerCase(),
      tokens: this.lexer.inlineTokens(inner),
    };
  },
  renderer({ tag, tokens }) {
    if (tag === "br") return "<br>";
    return `<${tag}>${this.parser.parseInline(tokens ?? [])}</${tag}>`;
  },
};

/** Only where the note is there: `[^1]` can also be what somebody writes about. */
const footnote: TokenizerAndRendererExtension = {
  name: "footnote",
  level: "inline",
  start: (src) => startOf(src, /\[\^/),
  tokenizer(src) {
    const found = FOOTNOTE.exec(src);
    if (!found || !(footnoteKey(found[1] ?? "") in this.lexer.tokens.links)) return;
    return { type: "footnote", raw: found[0], label: found[1], isText: found[2] !== undefined };
  },
  renderer: ({ label, isText }) => `<sup>${escapeHtml(String(label))}</sup>${isText ? " " : ""}`,
};

/** By the standard, marks between punctuation and a letter are none; these scripts put no blank between them. */
const emphasis: TokenizerAndRendererExtension = {
  name: "cjkEmphasis",
  level: "inline",
  start: (src) => startOf(src, /\*/),
  tokenizer(src, tokens) {
    const found = EMPHASIS.exec(src);
    if (!found) return;
    const [raw, stars = "", text = ""] = found;
    const before = (tokens as Tokens.Generic[]).at(-1)?.raw.at(-1) ?? " ";
    const after = src[raw.length] ?? " ";
    const opens = CJK.test(before) && PUNCTUATION.test(text[0] ?? "");
    const closes = CJK.test(after) && PUNCTUATION.test(text.at(-1) ?? "");
    if (!opens && !closes) return;
    return { type: "cjkEmphasis", raw, stars: stars.length, tokens: this.lexer.inlineTokens(text) };
  },
  renderer({ stars, tokens }) {
    const text = this.parser.parseInline(tokens ?? []);
    if (stars === 1) return `<em>${text}</em>`;
    return stars === 2 ? `<strong>${text}</strong>` : `<em><strong>${text}</strong></em>`;
  },
};

function startOf(src: string, pattern: RegExp): number | undefined {
  const at = src.search(pattern);
  return at < 0 ? undefined : at;
}

export const inlineExtension: MarkedExtension = { extensions: [mark, footnote, emphasis] };
