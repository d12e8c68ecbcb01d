/** KaTeX with its style and fonts inside, as a module of its own: loaded when a message has maths. */

import katex from "katex";
import css from "katex/dist/katex.css?text";

// Once per page, as the module itself.
const style = document.createElement("style");
style.textContent = css;
document.head.append(style);

/** Draws `tex` into `element`; throws when KaTeX cannot read it. */
export function draw(tex: string, element: HTMLElement, isBlock: boolean): void {
  katex.render(tex, element, {
    displayMode: isBlock,
    throwOnError: true,
    strict: "ignore",
    // Links, images and classes chosen by the model stay out.
    trust: false,
    maxSize: 20,
    maxExpand: 200,
  });
}
