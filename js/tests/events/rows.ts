import type { EventRow } from "../../src/protocol";

export const row = (seq: number, more: Partial<EventRow> = {}): EventRow => ({
  seq,
  time: Date.UTC(2026, 10, 20) + seq * 1000,
  kind: "text_streamed",
  priority: "NORMAL",
  state: "responding",
  turn_id: "turn-1",
  duration_s: null,
  summary: `event ${seq}`,
  ...more,
});

export const rows = (from: number, to: number, more: Partial<EventRow> = {}): EventRow[] =>
  Array.from({ length: to - from + 1 }, (_, index) => row(from + index, more));
