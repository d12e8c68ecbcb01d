/** Text exactly as it will run: every character is there and what could deceive is marked; colours change nothing. */

import type { ApprovalKind } from "../protocol";
import { codePoint, hasHidden, showHidden } from "../ui/hidden";
import { type Lookalike, lookalikes } from "../ui/lookalikes";

/** `code` coloured, or null for a language that is not here. */
export type Highlight = (code: string, language: string) => DocumentFragment | null;

const LANGUAGES: Partial<Record<ApprovalKind, string>> = {
  code: "python",
  command: "bash",
  arguments: "json",
};
/** Longer text stays plain: colouring it would block the page. */
const MOST_COLOURED = 20_000;
const MOST_DIFF_LINES = 3000;

/** `text` as nodes. */
export function exact(text: string, kind: ApprovalKind, highlight: Highlight | null): Node {
  const nodes = kind === "diff" ? diff(text) : coloured(text, LANGUAGES[kind], highlight);
  // The highlighter goes through HTML, which drops some characters: then there are no colours.
  const isWhole = nodes?.textContent === text;
  const root = nodes && isWhole ? nodes : plain(text);
  markLookalikes(root, lookalikes(text));
  showHidden(root);
  return root;
}

function plain(text: string): DocumentFragment {
  const root = document.createDocumentFragment();
  root.append(text);
  return root;
}

function coloured(text: string, language: string | undefined, highlight: Highlight | null): Node | null {
  if (!language || !highlight || text.length > MOST_COLOURED) return null;
  return highlight(text, language);
}

function diff(text: string): Node | null {
  const lines = text.split(/(?<=\n)/);
  if (lines.length > MOST_DIFF_LINES) return null;
  const root = document.createDocumentFragment();
  for (const line of lines) {
    const element = document.createElement("span");
    element.className = `rb-diff-line ${DIFF_CLASSES.find(([start]) => line.startsWith(start))?.[1] ?? ""}`;
    element.textContent = line;
    root.append(element);
  }
  return root;
}

const DIFF_CLASSES: readonly [string, string][] = [
  ["+++ ", "rb-diff-head"],
  ["--- ", "rb-diff-head"],
  ["@@", "rb-diff-head"],
  ["+", "rb-diff-added"],
  ["-", "rb-diff-removed"],
];

function markLookalikes(root: Node, marks: readonly Lookalike[]): void {
  if (marks.length === 0) return;
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const texts: Text[] = [];
  while (walker.nextNode()) texts.push(walker.currentNode as Text);
  let start = 0;
  let next = 0;
  for (const node of texts) {
    const { data } = node;
    const nodes: Node[] = [];
    let done = 0;
    for (let mark = marks[next]; mark && mark.index < start + data.length; mark = marks[++next]) {
      const at = mark.index - start;
      nodes.push(document.createTextNode(data.slice(done, at)), labelled(mark));
      done = at + mark.character.length;
    }
    start += data.length;
    if (nodes.length > 0) node.replaceWith(...nodes, document.createTextNode(data.slice(done)));
  }
}

function labelled(mark: Lookalike): HTMLElement {
  const label = document.createElement("span");
  label.className = "rb-lookalike";
  label.title = describe(mark);
  label.textContent = mark.character;
  return label;
}

const describe = ({ character, twin }: Lookalike): string => {
  const code = codePoint(character);
  return twin ? `“${character}” is ${code}, not “${twin}”` : `“${character}” is ${code}, of another alphabet`;
};

/** What the user should know of these texts before allowing what they say; one sentence each. */
export function warnings(...texts: string[]): string[] {
  const found: string[] = [];
  if (texts.some(hasHidden)) found.push("It contains hidden characters, shown by their numbers.");
  const kinds = [...new Set(texts.flatMap(lookalikes).map(describe))];
  if (kinds.length > 0) {
    const more = kinds.length > 3 ? `; and ${kinds.length - 3} more` : "";
    found.push(`It contains characters that look like others: ${kinds.slice(0, 3).join("; ")}${more}.`);
  }
  return found;
}
