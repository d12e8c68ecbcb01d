/** What is too wild to be parsed as Markdown: it is shown as plain text, so that no answer can freeze the page. */

const MOST = {
  /** `>` and list markers before the text of one line. */
  markersPerLine: 24,
  /** Columns before a list marker; each level of a list takes two or more. */
  indent: 60,
  brackets: 600,
  bracketDepth: 32,
  emphasis: 3000,
  backticks: 3000,
  tags: 1500,
  columns: 200,
  addresses: 400,
  dollars: 400,
} as const;

const MARKERS = /^(?:[ \t]{0,8}(?:>|[-+*](?=[ \t])|\d{1,9}[.)](?=[ \t])))+/;
const MARKER = />|[-+*](?=[ \t])|\d{1,9}[.)]/g;
const DEEP_ITEM = new RegExp(`^[ \\t]{${MOST.indent},}(?:>|[-+*][ \\t]|\\d{1,9}[.)][ \\t])`, "m");
const TABLE_RULE = /^[ \t]{0,3}[|:-][ \t|:-]*$/;

const PICTURE = /\]\(data:image\/[a-z]+;base64,[\w+/=]+\)/g;
/** Code in a list may hold as many marks as it likes. */
const INNER_CODE = /^[ \t>]*(?:[-+*] +|\d{1,9}[.)] +)?(`{3,}|~{3,})[^`\n]*\n[\s\S]*?\n[ \t>]*\1[ \t]*$/gm;
/** The parser looks for an address from each of its letters on. */
const LONG_WORD = /[^\s]{2500}/;

/** Whether parsing `markdown` could take much longer than its length suggests. */
export function isTooWild(markdown: string): boolean {
  const prose = /`{3}|~{3}/.test(markdown) ? markdown.replace(INNER_CODE, "") : markdown;
  const text = prose.includes("](data:image/") ? prose.replace(PICTURE, "](x)") : prose;
  return (
    hasTooManyMarks(text) ||
    LONG_WORD.test(text) ||
    DEEP_ITEM.test(text) ||
    text.split("\n").some(isTooDeepOrWide)
  );
}

function isTooDeepOrWide(line: string): boolean {
  if (TABLE_RULE.test(line) && countOf(line, "|") > MOST.columns) return true;
  const markers = MARKERS.exec(line)?.[0];
  return markers !== undefined && (markers.match(MARKER)?.length ?? 0) > MOST.markersPerLine;
}

function countOf(text: string, character: string): number {
  return text.split(character).length - 1;
}

function hasTooManyMarks(markdown: string): boolean {
  let [brackets, depth, deepest, emphasis, backticks, tags, addresses, dollars] = [0, 0, 0, 0, 0, 0, 0, 0];
  for (let index = 0; index < markdown.length; index++) {
    switch (markdown[index]) {
      case "[":
        brackets += 1;
        depth += 1;
        if (depth > deepest) deepest = depth;
        break;
      case "]":
        if (depth > 0) depth -= 1;
        break;
      case "(":
        depth += markdown[index - 1] === "(" ? 1 : 0;
        if (depth > deepest) deepest = depth;
        break;
      case ")":
        depth -= depth > 0 && markdown[index - 1] === ")" ? 1 : 0;
        break;
      case "*":
      case "_":
      case "~":
        emphasis += 1;
        break;
      case "`":
        backticks += 1;
        break;
      case "<":
        tags += 1;
        break;
      case "$":
        dollars += 1;
        break;
      case "@":
        addresses += 1;
        break;
    }
  }
  return (
    brackets > MOST.brackets ||
    deepest > MOST.bracketDepth ||
    emphasis > MOST.emphasis ||
    backticks > MOST.backticks ||
    tags > MOST.tags ||
    addresses > MOST.addresses ||
    dollars > MOST.dollars
  );
}
