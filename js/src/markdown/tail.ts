/** Finishes what the end of a growing paragraph leaves open, so that half a mark does not flicker as text. */

const OPEN_IMAGE = /!\[[^\]\n]*(?:\](?:\([^)\s]*)?)?$/;
const OPEN_LINK = /\[([^\][\n]*)\]\([^)\s]*$/;
const OPEN_MARKS = /(?:\*{1,3}|_{1,3}|~~|`+)$/;

const OPEN_EMPHASIS = /(?:^|[\s("])\*(?=[^\s*])[^*\n]*$/;

const times = (text: string, mark: string): number => text.split(mark).length - 1;

/** `markdown` with the marks of its last paragraph closed. */
export function closeOpenMarks(markdown: string): string {
  const at = markdown.lastIndexOf("\n\n") + 1;
  const last = markdown.slice(at);
  // A lone mark at the very end would show until its text comes.
  const calm = last.replace(OPEN_IMAGE, "").replace(OPEN_LINK, "$1").replace(OPEN_MARKS, closingOnly);
  if (times(calm, "`") % 2 === 1) return `${markdown.slice(0, at)}${calm}\``;
  const emphasis = OPEN_EMPHASIS.test(calm.replaceAll("**", "")) ? "*" : "";
  const strong = times(calm, "**") % 2 === 1 ? "**" : "";
  return `${markdown.slice(0, at)}${calm.trimEnd()}${emphasis}${strong}`;
}

/** A mark at the end stays when it closes one before it. */
function closingOnly(mark: string, offset: number, text: string): string {
  return times(text.slice(0, offset), mark) % 2 === 1 ? mark : "";
}
