/** Events as files, made in the page. */

import type { EventRow } from "../protocol";

const COLUMNS = ["seq", "time", "kind", "priority", "state", "turn_id", "duration_s", "summary"] as const;

type Column = (typeof COLUMNS)[number];

/** A spreadsheet takes a cell that begins so for a formula, and runs it; some do with the wide forms as well. */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;

export function toCsv(rows: readonly EventRow[]): string {
  const lines = rows.map((row) => {
    const record = exported(row);
    return COLUMNS.map((column) => cell(record[column])).join(",");
  });
  return [COLUMNS.join(","), ...lines, ""].join("\r\n");
}

export const toJsonl = (rows: readonly EventRow[]): string =>
  rows.map((row) => `${JSON.stringify(exported(row))}\n`).join("");

/** Saves `text` as a file of the user's, without asking a server. */
export function download(text: string, name: string, type: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  // Not at once: the browser reads the blob after the click.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

function exported(row: EventRow): Record<Column, string | number | null> {
  const time = new Date(row.time);
  const { seq, kind, priority, state, turn_id, duration_s, summary } = row;
  const written = Number.isNaN(time.getTime()) ? null : time.toISOString();
  return { seq, time: written, kind, priority, state, turn_id, duration_s, summary };
}

function cell(value: string | number | null): string {
  if (typeof value !== "string") return String(value ?? "");
  const safe = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
