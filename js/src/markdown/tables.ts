/** Tables in which code and formulas may hold a `|`, as models write them. */

import { mathIn } from "./math";

const RULE = /^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-*:?[ \t]*)*$/;

/** The lines of the table that `src` begins with, or none. */
export function tableLines(src: string): string[] {
  const headEnd = src.indexOf("\n");
  const ruleEnd = src.indexOf("\n", headEnd + 1);
  const rule = src.slice(headEnd + 1, ruleEnd < 0 ? undefined : ruleEnd);
  if (headEnd < 0 || !rule.includes("-") || !RULE.test(rule) || !src.slice(0, headEnd).includes("|"))
    return [];
  const blank = src.search(/\n[ \t]*(?:\n|$)/);
  return (blank < 0 ? src : src.slice(0, blank)).split("\n");
}

/** The row with each `|` inside of code or a formula escaped. */
export function withInnerPipes(row: string): string {
  if (!/[`$\\]/.test(row) || !row.includes("|")) return row;
  let [result, place] = ["", 0];
  while (place < row.length) {
    const length = codeIn(row, place) || mathIn(row, place);
    const piece = row.slice(place, place + Math.max(length, row[place] === "\\" ? 2 : 1));
    result += length > 0 ? piece.replace(/(?<!\\)\|/g, "\\|") : piece;
    place += piece.length;
  }
  return result;
}

function codeIn(row: string, place: number): number {
  if (row[place] !== "`") return 0;
  const marks = /^`+/.exec(row.slice(place))?.[0] ?? "";
  for (let end = place + marks.length; ; ) {
    const next = row.indexOf(marks, end);
    if (next < 0) return marks.length;
    const run = /^`+/.exec(row.slice(next))?.[0].length ?? 0;
    if (run === marks.length) return next + run - place;
    end = next + run;
  }
}
