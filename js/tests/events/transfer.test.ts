import { expect, test } from "vitest";
import { toCsv, toJsonl } from "../../src/events/transfer";
import { row } from "./rows";

test("CSV has a header, quotes what needs it, and leaves unknown cells empty", () => {
  const csv = toCsv([row(1, { summary: 'a "b", c\nd', state: null })]);

  expect(csv).toBe(
    "seq,time,kind,priority,state,turn_id,duration_s,summary\r\n" +
      '1,2026-11-20T00:00:01.000Z,text_streamed,NORMAL,,turn-1,,"a ""b"", c\nd"\r\n',
  );
});

test.each(["=1+1", "+1", "-1", "@A1", "\t=1", "\r=1", "＝1"])(
  "the text %j is no formula in CSV",
  (summary) => {
    const csv = toCsv([row(1, { summary })]);

    expect(csv).toMatch(/,"?'/);
  },
);

test("numbers stay numbers in CSV", () => {
  expect(toCsv([row(1, { duration_s: -0.5 })])).toContain(",-0.5,");
});

test("JSONL gives each event back as it is, with its time in ISO form", () => {
  const text = toJsonl([row(1, { summary: "=1\n2" }), row(2, { duration_s: 0.25 })]);

  const parsed = text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

  expect(parsed).toHaveLength(2);
  expect(parsed[0]).toEqual({ ...row(1, { summary: "=1\n2" }), time: "2026-11-20T00:00:01.000Z" });
  expect(parsed[1].duration_s).toBe(0.25);
});
