/** What one view shows of the events: filter, pause, the open row. It survives a change of tab. */

import { signal } from "@preact/signals";
import type { EventRow } from "../protocol";
import type { View } from "../view";
import { type Filter, FilteredRows, firstAt, NO_FILTER } from "./filter";

const logs = new WeakMap<View, EventLog>();

export function logOf(view: View): EventLog {
  const log = logs.get(view) ?? new EventLog();
  logs.set(view, log);
  return log;
}

export class EventLog {
  readonly filter = signal<Filter>(NO_FILTER);
  /** seq of the last row that is shown; null while not paused. */
  readonly pausedAt = signal<number | null>(null);
  /** seq of the row the keyboard is on. */
  readonly selected = signal<number | null>(null);
  /** seq of the row whose details are open. */
  readonly opened = signal<number | null>(null);
  readonly rows = new FilteredRows();

  change(part: Partial<Filter>): void {
    this.filter.value = { ...this.filter.value, ...part };
  }

  togglePause(rows: readonly EventRow[]): void {
    this.pausedAt.value = this.pausedAt.value === null ? (rows[rows.length - 1]?.seq ?? 0) : null;
  }
}

/** The rows up to a pause, and how many came after it. */
export function untilPause(
  rows: readonly EventRow[],
  pausedAt: number | null,
): { rows: readonly EventRow[]; missed: number } {
  if (pausedAt === null) return { rows, missed: 0 };
  const end = firstAt(rows, pausedAt + 1);
  return { rows: rows.slice(0, end), missed: rows.length - end };
}
