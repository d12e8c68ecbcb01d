/** Markdown → HTML of few tags. Raw HTML in the source is text, but for simple marks like `<sub>` and `<br>`. */

import {
  Marked,
  type RendererObject,
  Tokenizer,
  type TokenizerObject,
  type Tokens,
  type TokensList,
} from "marked";
import { escapeHtml } from "./escape";
import { FOOTNOTE_TEXT, footnoteKey, inlineExtension } from "./inlines";
import { languageOf } from "./languages";
import { mathExtension } from "./math";
import { tableLines, withInnerPipes } from "./tables";

const LINK = /^(?:https?:\/\/|mailto:)/i;
const IMAGE = /^(?:https?:\/\/|data:image\/(?:png|jpeg|gif|webp);base64,)/i;
const BARE_ADDRESS = /^(?:https?:\/\/|ftp:\/\/|www\.)[^\s<]*/i;
/** Scripts that put no blank behind an address, and their punctuation. */
const NO_ADDRESS = /[\u3000-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]/;
const BOX = /^\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\][ \t]*$/i;

const tokenizer: TokenizerObject = {
  // Tags are text, also those that would begin a block.
  html: () => undefined,
  tag: () => undefined,
  // "10~20" strikes nothing.
  del: (src) => (src.startsWith("~~") ? false : undefined),
  def: (src) => (/^ {0,3}\[\^/.test(src) ? undefined : false),
  url(src) {
    const address = BARE_ADDRESS.exec(src)?.[0] ?? "";
    const end = address.search(NO_ADDRESS);
    return end < 0 ? false : Tokenizer.prototype.url.call(this as Tokenizer, address.slice(0, end));
  },
  table(src) {
    const lines = tableLines(src);
    const safe = lines.map(withInnerPipes);
    if (safe.every((line, index) => line === lines[index])) return false;
    const table = Tokenizer.prototype.table.call(this as Tokenizer, `${safe.join("\n")}\n`);
    if (!table) return false;
    const taken = lines.slice(0, table.raw.trimEnd().split("\n").length).join("\n");
    return { ...table, raw: src[taken.length] === "\n" ? `${taken}\n` : taken };
  },
};

const renderer: RendererObject = {
  link({ href, tokens, raw }) {
    const text = this.parser.parseInline(tokens);
    return LINK.test(href) ? `<a href="${escapeHtml(href)}">${text}</a>` : escapeHtml(raw);
  },
  image({ href, text, raw }) {
    const name = escapeHtml(text);
    return IMAGE.test(href) ? `<a class="rb-image" href="${escapeHtml(href)}">${name}</a>` : escapeHtml(raw);
  },
  code({ text, lang }) {
    const language = languageOf(lang ?? "");
    const attribute = language ? ` class="language-${language}"` : "";
    return `<pre><code${attribute}>${escapeHtml(text)}</code></pre>\n`;
  },
  blockquote({ tokens }) {
    const kind = boxKind(tokens[0]);
    if (!kind) return `<blockquote>\n${this.parser.parse(tokens)}</blockquote>\n`;
    const title = `<p class="rb-box-title">${kind[0]?.toUpperCase()}${kind.slice(1)}</p>`;
    return `<blockquote class="rb-box rb-box-${kind}">${title}\n${this.parser.parse(withoutBoxMark(tokens))}</blockquote>\n`;
  },
  listitem({ task, tokens }) {
    return `<li${task ? ' class="rb-task"' : ""}>${this.parser.parse(tokens)}</li>\n`;
  },
  checkbox({ checked }) {
    return checked ? "☑ " : "☐ ";
  },
};

/** `note` of a quote that begins with `[!NOTE]`. */
function boxKind(first: Tokens.Generic | undefined): string {
  const mark = first?.type === "paragraph" ? first.tokens?.[0] : undefined;
  return BOX.exec(mark?.raw ?? "")?.[1]?.toLowerCase() ?? "";
}

function withoutBoxMark(tokens: Tokens.Generic[]): Tokens.Generic[] {
  const [first, ...rest] = tokens;
  // Behind the mark there is the end of its line.
  const more = first?.tokens?.slice(2) ?? [];
  return more.length > 0 && first ? [{ ...first, tokens: more }, ...rest] : rest;
}

const marked = new Marked(
  { gfm: true, breaks: true, async: false, renderer, tokenizer },
  mathExtension,
  inlineExtension,
);

/** Where `[name]: url` lines of a message lead, so that a reference in another part of it is a link too. */
export type LinkTargets = TokensList["links"];

/** The HTML of `markdown`; new link targets are added to `targets`. Not yet sanitised. */
export function toHtml(markdown: string, targets: LinkTargets = {}): string {
  if (markdown.includes("[^"))
    for (const [, label = ""] of markdown.matchAll(FOOTNOTE_TEXT))
      targets[footnoteKey(label)] = { href: "", title: "" };
  const lexer = new marked.Lexer(marked.defaults);
  Object.assign(lexer.tokens.links, targets);
  const tokens = lexer.lex(markdown);
  Object.assign(targets, lexer.tokens.links);
  return marked.parser(tokens, marked.defaults);
}
