import type { MarkdownContext } from "../../src/markdown/context";
import { MarkdownRenderer } from "../../src/markdown/renderer";

export interface Asked {
  links: string[];
  formulas: { tex: string; isBlock: boolean }[];
}

export function recordingContext(): { context: MarkdownContext; asked: Asked } {
  const asked: Asked = { links: [], formulas: [] };
  const context: MarkdownContext = {
    place: async () => "Inserted",
    openLink: (url) => asked.links.push(url),
    drawMath: (tex, _element, isBlock) => asked.formulas.push({ tex, isBlock }),
  };
  return { context, asked };
}

/** Draws into `root`, and all of it however slow the machine is: its clock stands still. */
export function unhurried(root: HTMLElement, context = recordingContext().context): MarkdownRenderer {
  return new MarkdownRenderer(root, context, () => 0);
}

/** What `markdown` looks like once it is complete. */
export function drawn(markdown: string): { root: HTMLElement; asked: Asked } {
  const root = document.createElement("div");
  const { context, asked } = recordingContext();
  const renderer = unhurried(root, context);
  renderer.update(markdown, true);
  renderer.finish();
  return { root, asked };
}

/** The same, but arriving in pieces, each of them drawn. */
export function streamed(markdown: string, pieceLength: number): HTMLElement {
  const root = document.createElement("div");
  const renderer = unhurried(root);
  for (let end = pieceLength; end < markdown.length; end += pieceLength) {
    renderer.update(markdown.slice(0, end), false);
    renderer.finish();
  }
  renderer.update(markdown, true);
  renderer.finish();
  return root;
}
