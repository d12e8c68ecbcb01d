/** Markdown → HTML of few tags. Raw HTML in the source is text, but for simple marks like `<sub>` and `<br>`. */

import { Marked, type RendererObject, type TokensList } from "marked";
import { escapeHtml } from "./escape";
import { mathExtension } from "./math";

const MARKS = new Set([
  "b",
  "br",
  "code",
  "del",
  "em",
  "i",
  "ins",
  "kbd",
  "mark",
  "s",
  "small",
  "strong",
  "sub",
  "sup",
  "u",
]);
/** Wrappers that mean nothing in an answer; their content stays. */
const WRAPPERS = new Set(["center", "details", "div", "font", "p", "section", "span", "summary"]);
const TAG = /<(\/?)([a-zA-Z][a-zA-Z0-9]*)\b[^<>]*>/g;

/** Simple marks without their attributes; everything else as it was typed. */
function harmlessHtml(html: string): string {
  let [result, end] = ["", 0];
  for (const match of html.matchAll(TAG)) {
    result += escapeHtml(html.slice(end, match.index));
    end = match.index + match[0].length;
    const name = (match[2] ?? "").toLowerCase();
    if (MARKS.has(name)) result += `<${match[1]}${name}>`;
    else if (!WRAPPERS.has(name)) result += escapeHtml(match[0]);
  }
  return result + escapeHtml(html.slice(end));
}

const LINK = /^(?:https?:\/\/|mailto:)/i;
const IMAGE = /^(?:https?:\/\/|data:image\/(?:png|jpeg|gif|webp);base64,)/i;

const renderer: RendererObject = {
  html({ text, block }) {
    const html = harmlessHtml(text.trim());
    return block && html ? `<p>${html}</p>\n` : html;
  },
  link({ href, tokens }) {
    const text = this.parser.parseInline(tokens);
    return LINK.test(href) ? `<a href="${escapeHtml(href)}">${text}</a>` : text;
  },
  image({ href, text }) {
    const name = escapeHtml(text);
    return IMAGE.test(href) ? `<a class="rb-image" href="${escapeHtml(href)}">${name}</a>` : name;
  },
  code({ text, lang }) {
    const language = /^[\w+#.-]{1,40}/.exec(lang ?? "")?.[0];
    const attribute = language ? ` class="language-${language}"` : "";
    return `<pre><code${attribute}>${escapeHtml(text)}</code></pre>\n`;
  },
  checkbox({ checked }) {
    return checked ? "☑ " : "☐ ";
  },
};

const marked = new Marked({ gfm: true, async: false, renderer }, mathExtension);

/** Where `[name]: url` lines of a message lead, so that a reference in another part of it is a link too. */
export type LinkTargets = TokensList["links"];

/** The HTML of `markdown`; new link targets are added to `targets`. Not yet sanitised. */
export function toHtml(markdown: string, targets: LinkTargets = {}): string {
  const lexer = new marked.Lexer(marked.defaults);
  Object.assign(lexer.tokens.links, targets);
  const tokens = lexer.lex(markdown);
  Object.assign(targets, lexer.tokens.links);
  return marked.parser(tokens, marked.defaults);
}
