/** Formulas in Markdown: `$$…$$` and `\[…\]` stand alone, `$…$` and `\(…\)` in a line. "$5 and $6" is text. */

import type { MarkedExtension, Token, Tokens } from "marked";
import { escapeHtml } from "./escape";

interface MathToken extends Tokens.Generic {
  type: "mathBlock" | "math";
  raw: string;
  tex: string;
  isBlock: boolean;
}

const MOST_TEX = 5000;

// No formula goes over a blank line: TeX forbids it, and an answer is rendered paragraph by paragraph.
const BLOCK =
  /^ {0,3}(?:\$\$((?:(?!\n[ \t]*\n|\$\$)[\s\S])+)\$\$|\\\[((?:(?!\n[ \t]*\n|\\\])[\s\S])+)\\\])[ \t]*(?:\n|$)/;
const INLINE_BLOCK = /^(?:\$\$((?:(?!\n[ \t]*\n|\$\$)[\s\S])+)\$\$|\\\[((?:(?!\n[ \t]*\n|\\\])[\s\S])+)\\\])/;
const PARENTHESES = /^\\\(((?:(?!\\\)|\n[ \t]*\n)[\s\S])+)\\\)/;
// The opening dollar touches what follows; the closing one touches what is before it and no letter or digit after.
const DOLLARS = /^\$(?![\s$])((?:\\[^\n]|[^\\$\n])+?)(?<![\s\\])\$(?![\w$])/;
const MONEY = /^[\d.,]+(?:\s*[-–/]|\s+[A-Za-z]{2,}|[kKmMbB]?\s)/;

const found = (match: RegExpExecArray | null): string | undefined => match?.[1] ?? match?.[2];

function token(type: MathToken["type"], raw: string, tex: string, isBlock: boolean): MathToken | undefined {
  const trimmed = tex.trim();
  return trimmed === "" || trimmed.length > MOST_TEX ? undefined : { type, raw, tex: trimmed, isBlock };
}

function inlineMath(src: string, before: string): MathToken | undefined {
  const display = INLINE_BLOCK.exec(src);
  if (display) return token("math", display[0], found(display) ?? "", true);
  const parentheses = PARENTHESES.exec(src);
  if (parentheses) return token("math", parentheses[0], parentheses[1] ?? "", false);
  const dollars = DOLLARS.exec(src);
  if (!dollars || /[\w$\\]$/.test(before) || MONEY.test(dollars[1] ?? "")) return undefined;
  return token("math", dollars[0], dollars[1] ?? "", false);
}

const lastRaw = (tokens: Token[] | undefined): string => tokens?.[tokens.length - 1]?.raw ?? "";

/** Formulas become `span.rb-math` with their source inside, which KaTeX replaces once it is there. */
export const mathExtension: MarkedExtension = {
  extensions: [
    {
      name: "mathBlock",
      level: "block",
      start: (src) => {
        const at = src.search(/(?:^|\n) {0,3}(?:\$\$|\\\[)/);
        return at < 0 ? undefined : at;
      },
      tokenizer: (src) => {
        const match = BLOCK.exec(src);
        return match ? token("mathBlock", match[0], found(match) ?? "", true) : undefined;
      },
      renderer: (it) => `<p><span class="rb-math rb-math-block">${escapeHtml(String(it.tex))}</span></p>`,
    },
    {
      name: "math",
      level: "inline",
      start: (src) => {
        const at = src.search(/\$|\\[([]/);
        return at < 0 ? undefined : at;
      },
      tokenizer: (src, tokens) => inlineMath(src, lastRaw(tokens)),
      renderer: (it) =>
        `<span class="rb-math${it.isBlock ? " rb-math-block" : ""}">${escapeHtml(String(it.tex))}</span>`,
    },
  ],
};
