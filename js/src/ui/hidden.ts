/** Characters that cannot be seen but change what a text means: made visible. */

// Controls, formats (bidi, zero-width), lone surrogates, private and unassigned ones, line and paragraph separators,
// and all that Unicode says to ignore, fillers for one. A carriage return only where no line ends with it.
const HIDDEN =
  /(?![\n\t]|\r\n)[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/gu;
/** Within an emoji these are what they should be: the joiner, and the wish for a coloured picture. */
const IN_EMOJI = /^(?:\u200d|\ufe0f)$/;
const BEFORE_IN_EMOJI = /(?:\p{Extended_Pictographic}|\p{Emoji_Modifier}|\ufe0f)$/u;
const KEYCAP = /[\d#*]$/;

export interface Piece {
  text: string;
  isHidden: boolean;
}

/** "U+202E" */
export const codePoint = (character: string): string =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;

/** `text` in pieces; a hidden character is a piece of its own, named by its code point. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let end = 0;
  for (const { 0: character, index } of text.matchAll(HIDDEN)) {
    if (IN_EMOJI.test(character) && isInEmoji(text, index)) continue;
    if (index > end) found.push({ text: text.slice(end, index), isHidden: false });
    found.push({ text: codePoint(character), isHidden: true });
    end = index + character.length;
  }
  if (end < text.length) found.push({ text: text.slice(end), isHidden: false });
  return found;
}

function isInEmoji(text: string, index: number): boolean {
  const before = text.slice(Math.max(0, index - 4), index);
  return BEFORE_IN_EMOJI.test(before) || (text[index] === "\ufe0f" && KEYCAP.test(before));
}

export const hasHidden = (text: string): boolean =>
  text.search(HIDDEN) >= 0 && pieces(text).some(({ isHidden }) => isHidden);

/** `text` with hidden characters spelled out, for names and hints that can be nothing but text. */
export const spelled = (text: string): string =>
  pieces(text)
    .map((piece) => (piece.isHidden ? `[${piece.text}]` : piece.text))
    .join("");

/** `text` as nodes, with each hidden character as a visible label. */
export function visible(text: string): Node[] {
  return pieces(text).map((piece) => {
    if (!piece.isHidden) return document.createTextNode(piece.text);
    const label = document.createElement("span");
    label.className = "rb-hidden-char";
    label.title = `Hidden character ${piece.text}`;
    label.textContent = piece.text;
    return label;
  });
}

/** Makes the hidden characters below `root` visible. */
export function showHidden(root: Node): void {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const texts: Text[] = [];
  while (walker.nextNode()) texts.push(walker.currentNode as Text);
  for (const text of texts) if (hasHidden(text.data)) text.replaceWith(...visible(text.data));
}
