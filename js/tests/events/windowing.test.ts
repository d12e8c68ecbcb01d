import { expect, test } from "vitest";
import { ROW_HEIGHT, rangeInSight, scrollToRow } from "../../src/events/windowing";

const HEIGHT = 10 * ROW_HEIGHT;

test.each([0, 1, 5000 * ROW_HEIGHT + 3, 50_000 * ROW_HEIGHT - HEIGHT])(
  "all rows in sight at %d are drawn, and few more",
  (top) => {
    const { first, end } = rangeInSight(top, HEIGHT, 50_000);

    expect(first * ROW_HEIGHT).toBeLessThanOrEqual(top);
    expect(end * ROW_HEIGHT).toBeGreaterThanOrEqual(top + HEIGHT);
    expect(end - first).toBeLessThanOrEqual(32);
  },
);

test("a short list is drawn whole", () => {
  expect(rangeInSight(0, HEIGHT, 3)).toEqual({ first: 0, end: 3 });
  expect(rangeInSight(0, HEIGHT, 0)).toEqual({ first: 0, end: 0 });
});

test("a row in sight needs no scrolling, another as little as possible", () => {
  expect(scrollToRow(5, 0, HEIGHT)).toBe(0);
  expect(scrollToRow(10, 0, HEIGHT)).toBe(ROW_HEIGHT);
  expect(scrollToRow(3, 20 * ROW_HEIGHT, HEIGHT)).toBe(3 * ROW_HEIGHT);
});
