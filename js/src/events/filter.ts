/** Which events are shown; pure. */

import type { EventRow } from "../protocol";

export interface Filter {
  text: string;
  /** Empty means all. */
  priorities: ReadonlySet<string>;
  kinds: ReadonlySet<string>;
  /** "" means all. */
  turn: string;
}

export const NO_FILTER: Filter = { text: "", priorities: new Set(), kinds: new Set(), turn: "" };

export const isFiltering = (filter: Filter): boolean =>
  filter.text.trim() !== "" || filter.priorities.size > 0 || filter.kinds.size > 0 || filter.turn !== "";

export function matcher(filter: Filter): (row: EventRow) => boolean {
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  return (row) =>
    (filter.priorities.size === 0 || filter.priorities.has(row.priority)) &&
    (filter.kinds.size === 0 || filter.kinds.has(row.kind)) &&
    (filter.turn === "" || row.turn_id === filter.turn) &&
    (words.length === 0 || hasWords(row, words));
}

function hasWords(row: EventRow, words: readonly string[]): boolean {
  const text = `${row.kind} ${row.state ?? ""} ${row.turn_id ?? ""} ${row.summary}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

/** Index of the first row whose seq is at least `seq`. */
export function firstAt(rows: readonly EventRow[], seq: number): number {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows[middle]?.seq ?? 0) < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * The filtered rows, kept up to date in time that grows with what is new, not with what is there: rows are added at
 * the end and dropped at the beginning 25 times a second, and there can be 50,000.
 */
export class FilteredRows {
  private rows: readonly EventRow[] = [];
  private filter: Filter | null = null;
  shown: readonly EventRow[] = [];
  /** Every kind seen, in the order of the alphabet. */
  kinds: readonly string[] = [];
  /** Every turn seen, newest last. */
  turns: readonly string[] = [];

  update(rows: readonly EventRow[], filter: Filter): this {
    if (rows === this.rows && filter === this.filter) return this;
    const matches = matcher(filter);
    const added = filter === this.filter ? this.addedTo(rows) : null;
    if (added === null) {
      this.shown = rows.filter(matches);
    } else {
      const kept = this.shown.slice(firstAt(this.shown, rows[0]?.seq ?? Number.POSITIVE_INFINITY));
      this.shown = [...kept, ...added.filter(matches)];
    }
    this.collect(added ?? rows);
    this.rows = rows;
    this.filter = filter;
    return this;
  }

  /** The rows behind those known before; null when anything else changed. */
  private addedTo(rows: readonly EventRow[]): readonly EventRow[] | null {
    const last = this.rows[this.rows.length - 1];
    const first = rows[0];
    if (!last || !first) return null;
    const dropped = firstAt(this.rows, first.seq);
    const known = this.rows.length - dropped;
    const isSameStart = known > 0 && this.rows[dropped] === first && rows[known - 1] === last;
    return isSameStart ? rows.slice(known) : null;
  }

  private collect(rows: readonly EventRow[]): void {
    const kinds = new Set(this.kinds);
    const turns = new Set(this.turns);
    for (const { kind, turn_id } of rows) {
      kinds.add(kind);
      if (turn_id) turns.add(turn_id);
    }
    if (kinds.size > this.kinds.length) this.kinds = [...kinds].sort();
    if (turns.size > this.turns.length) this.turns = [...turns];
  }
}
