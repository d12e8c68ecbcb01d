/** Finishes what the end of a growing paragraph leaves open, and holds back what may still become something else, so
 * that nothing flickers. */

/** A line that may become a rule, a list, a heading, a table, a fold, or the underline that makes a heading. */
const MAYBE_BLOCK = /^[ \t>]*(?:[-+*=_~`#|: \t]*|\d{1,9}[.)]?[ \t]*|<[^>]*)$/;
const ROW = /^[ \t>]*\|/;
const RULE = /^[ \t>]*\|?[ \t]*:?-+:?[ \t]*\|/;

const OPEN_IMAGE = /!\[[^\]\n]*(?:\](?:\([^)\s]*)?)?$/;
const OPEN_LINK = /\[([^\][\n]*)\]\([^)\s]*$/;
const OPEN_MARKS = /(?:\*{1,3}|_{1,3}|~~|`+)$/;
/** Half of a tag, an entity, an escape or a footnote. */
const OPEN_PIECE = /(?:<\/?[a-zA-Z]{0,10}|&#?\w{0,10}|\\|\[\^?[\w-]{0,10})$/;
/** As long as a formula may still be one: money is followed by a blank soon. */
const OPEN_FORMULA = /(?:\$\$(?:(?!\$\$)[\s\S]){0,2000}\$?|\\[[(](?:(?!\\[\])])[\s\S]){0,1000})$/;
const OPEN_DOLLAR = /(?:^|[^\w$\\])\$(?:[^\s$\d][^\s$]{0,40}|\\[^$\n]{0,80})?$/;

const OPEN_EMPHASIS = /(?:^|[\s("])\*(?=[^\s*])[^*\n]*$/;
const OPEN_UNDERSCORE = /(?:^|[\s("])_(?=[^\s_])[^_\n]*$/;

const times = (text: string, mark: string): number => text.split(mark).length - 1;

/** `markdown` with the marks of its last paragraph closed. */
export function closeOpenMarks(markdown: string): string {
  const settled = withoutMaybes(markdown);
  const at = settled.lastIndexOf("\n\n") + 1;
  const last = settled.slice(at);
  if (times(last, "`") % 2 === 1)
    return `${settled.slice(0, at)}${last.replace(/`+$/, "")}${closingTick(last)}`;
  // A lone mark at the very end would show until its text comes.
  const calm = withoutOpenFormula(last)
    .replace(OPEN_IMAGE, "")
    .replace(OPEN_LINK, "$1")
    .replace(OPEN_PIECE, "")
    .replace(OPEN_MARKS, closingOnly);
  const bare = calm.replaceAll("**", "");
  const emphasis = OPEN_EMPHASIS.test(bare) ? "*" : OPEN_UNDERSCORE.test(calm) ? "_" : "";
  const strong = times(calm, "**") % 2 === 1 ? "**" : "";
  const strike = times(calm, "~~") % 2 === 1 ? "~~" : "";
  return `${settled.slice(0, at)}${calm.trimEnd()}${emphasis}${strong}${strike}`;
}

function withoutMaybes(markdown: string): string {
  const start = markdown.lastIndexOf("\n") + 1;
  const settled = MAYBE_BLOCK.test(markdown.slice(start)) ? markdown.slice(0, start) : markdown;
  // The head of a table is one only when its second line is there.
  const lines = settled.split("\n");
  if (lines.some((line) => RULE.test(line))) return settled;
  let kept = lines.length;
  while (kept > 0 && (ROW.test(lines[kept - 1] ?? "") || (kept === lines.length && lines[kept - 1] === "")))
    kept -= 1;
  return kept < lines.length - 1 || ROW.test(lines.at(-1) ?? "") ? lines.slice(0, kept).join("\n") : settled;
}

function withoutOpenFormula(text: string): string {
  const isOpen = times(text, "$$") % 2 === 1 || /\\[[(](?:(?!\\[\])])[\s\S])*$/.test(text);
  const closed = isOpen ? text.replace(OPEN_FORMULA, "") : text;
  const dollars = times(closed.replaceAll("$$", "").replaceAll("\\$", ""), "$");
  return dollars % 2 === 1
    ? closed.replace(OPEN_DOLLAR, (open) => (open.startsWith("$") ? "" : open.charAt(0)))
    : closed;
}

/** What closes the code at the end of `text`; a run of backticks at the very end may become longer. */
function closingTick(text: string): string {
  return text.endsWith("`") ? "" : "`";
}

/** A mark at the end stays when it closes one before it. */
function closingOnly(mark: string, offset: number, text: string): string {
  return times(text.slice(0, offset), mark) % 2 === 1 ? mark : "";
}
