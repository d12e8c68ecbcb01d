/** What is copied from an answer: each formula once, as its source, and no labels of buttons. */

/** Listens for `copy` around answers. */
export function copySource(event: ClipboardEvent): void {
  const selection = getSelection();
  if (!event.clipboardData || !selection || selection.isCollapsed) return;
  const range = wholeFormulas(selection.getRangeAt(0));
  const copied = document.createElement("div");
  copied.append(range.cloneContents());
  const special = copied.querySelectorAll<HTMLElement>(".rb-math, .rb-code-head");
  if (special.length === 0) return;
  for (const element of special) {
    if (element.classList.contains("rb-code-head")) element.remove();
    else element.replaceWith(source(element));
  }
  event.preventDefault();
  event.clipboardData.setData("text/html", copied.innerHTML);
  event.clipboardData.setData("text/plain", shownText(copied));
}

/** The range, made wider where it begins or ends within a formula. */
function wholeFormulas(range: Range): Range {
  const whole = range.cloneRange();
  const formula = (node: Node) => (node instanceof Element ? node : node.parentElement)?.closest(".rb-math");
  const first = formula(range.startContainer);
  const last = formula(range.endContainer);
  if (first) whole.setStartBefore(first);
  if (last) whole.setEndAfter(last);
  return whole;
}

function source(formula: HTMLElement): string {
  // KaTeX keeps it for those who read no pictures.
  const tex = (formula.querySelector("annotation") ?? formula).textContent ?? "";
  return formula.classList.contains("rb-math-block") ? `$$${tex}$$` : `$${tex}$`;
}

/** The text with the line breaks that its layout has. */
function shownText(copied: HTMLElement): string {
  copied.className = "rb-markdown rb-copied";
  document.body.append(copied);
  const text = copied.innerText ?? copied.textContent ?? "";
  copied.remove();
  return text;
}
