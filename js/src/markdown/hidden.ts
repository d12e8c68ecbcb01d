/** Characters that cannot be seen but change what a text means: made visible in code. */

// Controls, soft hyphen, zero-width, bidi marks and overrides, invisible operators, tags, variation supplements.
const HIDDEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters we look for
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\u{e0000}-\u{e01ef}]/gu;
/** Within an emoji the joiner is what it should be. */
const BEFORE_EMOJI_JOINER = /(?:\p{Extended_Pictographic}|\ufe0f|[\u{1f3fb}-\u{1f3ff}])$/u;

export const hasHidden = (text: string): boolean => text.search(HIDDEN) >= 0;

const name = (character: string): string =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;

/** `text` as nodes, with each hidden character as a visible label. */
export function visible(text: string): Node[] {
  const nodes: Node[] = [];
  let end = 0;
  for (const match of text.matchAll(HIDDEN)) {
    const isJoiner =
      match[0] === "\u200d" &&
      BEFORE_EMOJI_JOINER.test(text.slice(Math.max(0, match.index - 4), match.index));
    if (isJoiner) continue;
    if (match.index > end) nodes.push(document.createTextNode(text.slice(end, match.index)));
    const label = document.createElement("span");
    label.className = "rb-hidden-char";
    label.title = `Hidden character ${name(match[0])}`;
    label.textContent = name(match[0]);
    nodes.push(label);
    end = match.index + match[0].length;
  }
  if (end < text.length) nodes.push(document.createTextNode(text.slice(end)));
  return nodes;
}

/** Makes the hidden characters below `root` visible. */
export function showHidden(root: Node): void {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const texts: Text[] = [];
  while (walker.nextNode()) texts.push(walker.currentNode as Text);
  for (const text of texts) if (hasHidden(text.data)) text.replaceWith(...visible(text.data));
}
