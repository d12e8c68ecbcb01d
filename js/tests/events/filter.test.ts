import { describe, expect, test } from "vitest";
import { type Filter, FilteredRows, firstAt, matcher, NO_FILTER } from "../../src/events/filter";
import type { EventRow } from "../../src/protocol";
import { row, rows } from "./rows";

describe("a filter", () => {
  const failed = row(1, { kind: "turn_failed", priority: "HIGH", turn_id: "t9", summary: "Rate limit" });

  test.each<Partial<Filter>>([
    {},
    { text: "RATE failed" },
    { priorities: new Set(["HIGH", "LOW"]) },
    { kinds: new Set(["turn_failed"]) },
    { turn: "t9" },
  ])("%j lets the row through", (part) => {
    expect(matcher({ ...NO_FILTER, ...part })(failed)).toBe(true);
  });

  test.each<Partial<Filter>>([
    { text: "rate nothing" },
    { priorities: new Set(["LOW"]) },
    { kinds: new Set(["turn_finished"]) },
    { turn: "t1" },
    { turn: "t9", text: "other" },
  ])("%j keeps the row out", (part) => {
    expect(matcher({ ...NO_FILTER, ...part })(failed)).toBe(false);
  });
});

describe("filtered rows", () => {
  const pairs: Filter = { ...NO_FILTER, text: "pair" };
  const make = (from: number, to: number) =>
    rows(from, to).map((each) => (each.seq % 2 === 0 ? { ...each, summary: "pair" } : each));
  const expected = (all: readonly EventRow[]) => all.filter((each) => each.summary === "pair");

  test.each<[string, (all: readonly EventRow[]) => readonly EventRow[]]>([
    ["rows are added", (all) => [...all, ...make(101, 120)]],
    ["rows are added and the oldest dropped", (all) => [...all, ...make(101, 120)].slice(-100)],
    ["all rows are replaced", () => make(500, 520)],
    ["earlier rows come", (all) => [...make(1, 50), ...all]],
    [
      "a missing row comes late",
      (all) => [...all.slice(0, 20), row(70), ...all.slice(20)].sort((a, b) => a.seq - b.seq),
    ],
    ["no row is left", () => []],
  ])("are right after %s", (_, next) => {
    const filtered = new FilteredRows();
    const all = make(51, 100).filter((each) => each.seq !== 70);
    filtered.update(all, pairs);

    const after = next(all);

    expect(filtered.update(after, pairs).shown).toEqual(expected(after));
  });

  test("are right after another filter", () => {
    const filtered = new FilteredRows();
    const all = make(1, 10);

    filtered.update(all, pairs);

    expect(filtered.update(all, NO_FILTER).shown).toEqual(all);
  });

  test("know the kinds and turns they have seen", () => {
    const filtered = new FilteredRows();
    const first = [row(1, { kind: "b", turn_id: "t1" }), row(2, { kind: "a", turn_id: null })];

    filtered.update(first, NO_FILTER);
    filtered.update([...first, row(3, { kind: "c", turn_id: "t2" })], NO_FILTER);

    expect(filtered.kinds).toEqual(["a", "b", "c"]);
    expect(filtered.turns).toEqual(["t1", "t2"]);
  });
});

test("firstAt finds the place of a number that is missing", () => {
  const some = [row(2), row(4), row(8)];

  expect([1, 2, 3, 8, 9].map((seq) => firstAt(some, seq))).toEqual([0, 0, 1, 2, 3]);
});
