/** What is added to sanitised nodes: code blocks with buttons, links that ask first, images that wait for a click. */

import { showHidden } from "../ui/hidden";
import { CodeBlock } from "./codeBlock";
import type { MarkdownContext } from "./context";

/** Larger pictures inside an answer are not shown by themselves. */
const MOST_IMAGE_DATA = 3_000_000;

export function decorate(nodes: DocumentFragment, context: MarkdownContext): void {
  for (const pre of nodes.querySelectorAll("pre")) decorateCode(pre, context);
  for (const code of nodes.querySelectorAll(":not(pre) > code")) showHidden(code);
  for (const link of nodes.querySelectorAll("a")) decorateLink(link, context);
  // Their marks stand where the text begins, from either side; the word of a box is not part of the text.
  for (const block of nodes.querySelectorAll<HTMLElement>("ul, ol, blockquote")) block.dir = "auto";
  for (const title of nodes.querySelectorAll(".rb-box-title")) {
    const word = document.createElement("bdi");
    word.append(...title.childNodes);
    title.append(word);
  }
  for (const table of nodes.querySelectorAll("table")) wrapTable(table);
}

/** Has the formulas drawn; until then, and without the library, their source is there. */
export function drawFormulas(nodes: DocumentFragment, context: MarkdownContext): void {
  for (const span of nodes.querySelectorAll<HTMLElement>("span.rb-math")) {
    context.drawMath(span.textContent ?? "", span, span.classList.contains("rb-math-block"));
  }
}

function decorateCode(pre: HTMLPreElement, context: MarkdownContext): void {
  const language = /language-([\w+#.-]+)/.exec(pre.firstElementChild?.className ?? "")?.[1] ?? "";
  const block = new CodeBlock(language, context);
  block.append((pre.textContent ?? "").replace(/\n$/, ""));
  block.close();
  pre.replaceWith(block.element);
}

function decorateLink(link: HTMLAnchorElement, context: MarkdownContext): void {
  const address = link.getAttribute("href") ?? "";
  if (link.className === "rb-image")
    return link.replaceWith(imagePlaceholder(address, link.textContent ?? ""));
  const url = URL.canParse(address) ? new URL(address).href : "";
  if (url === "") return link.replaceWith(...link.childNodes);
  link.href = url;
  link.className = "rb-link";
  link.target = "_blank";
  link.rel = "noopener noreferrer nofollow";
  link.title = url;
  const ask = (event: Event) => {
    event.preventDefault();
    event.stopPropagation();
    context.openLink(url, link);
  };
  link.addEventListener("click", ask);
  // The middle button opens a tab by this event.
  link.addEventListener("auxclick", ask);
}

/** Nothing is fetched for a picture before somebody asked for it. */
function imagePlaceholder(address: string, name: string): HTMLElement {
  if (address.startsWith("data:")) {
    if (address.length <= MOST_IMAGE_DATA) return image(address, name);
    return document.createElement("span");
  }
  const button = document.createElement("button");
  button.type = "button";
  button.className = "rb-image-placeholder";
  button.setAttribute("aria-label", `Load image ${name} from ${address}`);
  const what = document.createElement("span");
  what.textContent = `Load image${name ? `: ${name}` : ""}`;
  const where = document.createElement("span");
  where.className = "rb-image-address";
  where.textContent = address;
  button.append(what, where);
  button.addEventListener("click", () => button.replaceWith(image(address, name)));
  return button;
}

function image(address: string, name: string): HTMLImageElement {
  const picture = document.createElement("img");
  picture.className = "rb-picture";
  picture.alt = name;
  picture.referrerPolicy = "no-referrer";
  picture.src = address;
  return picture;
}

function wrapTable(table: HTMLTableElement): void {
  const wrapper = document.createElement("div");
  const body = document.createElement("div");
  wrapper.className = "rb-table";
  body.className = "rb-table-body";
  // A wide table scrolls, by keyboard too.
  wrapper.tabIndex = 0;
  table.replaceWith(wrapper);
  wrapper.append(body);
  body.append(table);
}
