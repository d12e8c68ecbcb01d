/** An element of text of this length lays out at once; a long text is several. */
const PART_CHARACTERS = 8000;

/** `text` in pieces for an element each, cut where a line ends if there is one. */
export function split(text: string): string[] {
  const parts: string[] = [];
  for (let start = 0; start < text.length; ) {
    const line = text.lastIndexOf("\n", start + PART_CHARACTERS);
    let end = line > start ? line + 1 : start + PART_CHARACTERS;
    if (/[\ud800-\udbff]/.test(text[end - 1] ?? "")) end -= 1;
    parts.push(text.slice(start, end).replace(/\n$/, ""));
    start = end;
  }
  return parts;
}
