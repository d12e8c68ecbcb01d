/** Formulas in Markdown: `$$…$$`, `\[…\]` and environments stand alone, `$…$` and `\(…\)` in a line. "$5 and $6" is
 * text. Cells read them in the same way, in `rustbot_jupyter/markdown/formulas.py`; `tests/fixtures/formulas.json`
 * holds both to it. */

import type { MarkedExtension, Token, Tokens } from "marked";
import { escapeHtml } from "./escape";

interface MathToken extends Tokens.Generic {
  type: "mathBlock" | "math";
  raw: string;
  tex: string;
  isBlock: boolean;
}

const MOST_TEX = 5000;

const NAMES = [
  ...["align", "alignat", "eqnarray", "equation", "flalign", "gather", "multline"].flatMap((name) => [
    name,
    `${name}\\*`,
  ]),
  ...["", "b", "B", "p", "small", "v", "V"].map((kind) => `${kind}matrix`),
  ..."aligned alignedat array cases dcases gathered rcases split".split(" "),
].join("|");

const BEGIN = `\\\\begin\\{(?:${NAMES})\\}`;
/** The first line of a formula of several ones. */
export const OPENS_MATH = new RegExp(`^ {0,3}(?:\\$\\$|\\\\\\[|${BEGIN})`);
/** One that may go over blank lines, as no text begins like that. */
export const OPENS_LONG_MATH = new RegExp(`^ {0,3}(?:\\$\\$[ \\t]*$|\\\\\\[[ \\t]*$|${BEGIN})`);
export const ENDS_MATH = /(?:\$\$|\\\]|\\end\{[A-Za-z]+\*?\})[ \t]*$/;

const ENVIRONMENT = new RegExp(`^\\\\begin\\{(${NAMES})\\}[\\s\\S]*?\\\\end\\{\\1\\}`);
const DOUBLE = /^\$\$((?:(?!\$\$)[\s\S])+)\$\$/;
const BRACKETS = /^\\\[((?:(?!\\[[\]])[\s\S])+)\\\]/;
const PARENTHESES = /^\\\(((?:(?!\\[()]|\n[ \t]*\n)[\s\S])+)\\\)/;
const DOLLARS = /^\$((?:\\[^\n]|[^\\$\n])+)\$(?![\w${])/;
const MONEY = /^[\d.,]+(?:\s*[-–/|]|\s+[A-Za-z]{2,}|[kKmMbB]?\s)/;
const SPACED = /^[ \t]+\S(?:.*\S)?[ \t]+$/;
const MATHEMATICAL = /[\\^_=+<>{]/;
const WORDS = /^\p{L}{2,}(?:[\s,;.-]+\p{L}{2,})*[.!?]?$/u;
const BLANK_LINE = /\n[ \t]*\n/;
const REST_OF_LINE = /^[ \t]*(?:\n|$)/;

function token(type: MathToken["type"], raw: string, tex: string, isBlock: boolean): MathToken | undefined {
  // TeX ends a formula at a blank line.
  const whole = tex.trim().replace(/\n(?:[ \t]*\n)+/g, "\n");
  if (whole === "" || whole.length > MOST_TEX || !isBalanced(whole) || /`{3}|~{3}/.test(whole)) return;
  return { type, raw, tex: whole, isBlock };
}

function isBalanced(tex: string): boolean {
  let depth = 0;
  for (const [brace] of tex.replace(/\\[\s\S]/g, "").matchAll(/[{}]/g)) {
    depth += brace === "{" ? 1 : -1;
    if (depth < 0) return false;
  }
  return depth === 0;
}

/** A formula that is all of its paragraph. */
function mathBlock(src: string): MathToken | undefined {
  const indent = /^ {0,3}/.exec(src)?.[0] ?? "";
  const text = src.slice(indent.length);
  const found = DOUBLE.exec(text) ?? BRACKETS.exec(text) ?? ENVIRONMENT.exec(text);
  if (!found || found[0].length > MOST_TEX) return;
  const rest = REST_OF_LINE.exec(text.slice(found[0].length));
  if (!rest) return;
  const mayBeLong = OPENS_LONG_MATH.test(src.slice(0, src.indexOf("\n")));
  if (BLANK_LINE.test(found[0]) && !mayBeLong) return;
  const tex = text.startsWith("\\begin") ? found[0] : (found[1] ?? "");
  return token("mathBlock", indent + found[0] + rest[0], tex, true);
}

function inlineMath(src: string, before: string): MathToken | undefined {
  const display = DOUBLE.exec(src);
  if (display && !BLANK_LINE.test(display[0])) return token("math", display[0], display[1] ?? "", true);
  const brackets = BRACKETS.exec(src);
  if (brackets) {
    const tex = brackets[1] ?? "";
    return MATHEMATICAL.test(tex) && !BLANK_LINE.test(tex)
      ? token("math", brackets[0], tex, true)
      : undefined;
  }
  const parentheses = PARENTHESES.exec(src);
  if (parentheses) {
    const tex = parentheses[1] ?? "";
    return WORDS.test(tex.trim()) ? undefined : token("math", parentheses[0], tex, false);
  }
  const environment = ENVIRONMENT.exec(src);
  if (environment) return token("math", environment[0], environment[0], true);
  return src.startsWith("$$") ? undefined : dollars(src, before);
}

function dollars(src: string, before: string): MathToken | undefined {
  const found = DOLLARS.exec(src);
  const tex = found?.[1] ?? "";
  if (!found || /[\w$\\]$/.test(before) || MONEY.test(tex.trim())) return;
  if (tex.startsWith("(") && src[found[0].length] === "(") return;
  // Blanks on both sides are how some write formulas; on one side the dollar belongs to a word.
  if (/^\s|\s$/.test(tex) && !(SPACED.test(tex) && MATHEMATICAL.test(tex))) return;
  return token("math", found[0], tex, false);
}

const lastRaw = (tokens: Token[] | undefined): string => tokens?.[tokens.length - 1]?.raw ?? "";

const INLINE_START = new RegExp(`\\$|\\\\[([]|${BEGIN}`);
const BLOCK_START = new RegExp(`(?:^|\\n) {0,3}(?:\\$\\$|\\\\\\[|${BEGIN})`);

/** Where a formula in the line `text` begins and ends, so that a `|` in it ends no cell. */
export function mathIn(text: string, at: number): number {
  if (text[at] !== "$" && text[at] !== "\\") return 0;
  return inlineMath(text.slice(at), text.slice(0, at))?.raw.length ?? 0;
}

/** Formulas become `span.rb-math` with their source inside, which KaTeX replaces once it is there. */
export const mathExtension: MarkedExtension = {
  extensions: [
    {
      name: "mathBlock",
      level: "block",
      start: (src) => {
        const at = src.search(BLOCK_START);
        return at < 0 ? undefined : at;
      },
      tokenizer: mathBlock,
      renderer: (it) => `<p><span class="rb-math rb-math-block">${escapeHtml(String(it.tex))}</span></p>`,
    },
    {
      name: "math",
      level: "inline",
      start: (src) => {
        const at = src.search(INLINE_START);
        return at < 0 ? undefined : at;
      },
      tokenizer: (src, tokens) => inlineMath(src, lastRaw(tokens)),
      renderer: (it) =>
        `<span class="rb-math${it.isBlock ? " rb-math-block" : ""}">${escapeHtml(String(it.tex))}</span>`,
    },
  ],
};
