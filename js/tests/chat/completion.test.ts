import { describe, expect, test } from "vitest";
import { complete, completions, tokenAt } from "../../src/chat/completion";
import type { References } from "../../src/protocol";

const REFERENCES: References = {
  prompts: [
    { name: "notes:commit", description: "Of a day", arguments: [] },
    { name: "git:commit", description: "Write a message", arguments: ["style"] },
    { name: "git:review", description: "Review a branch", arguments: [] },
  ],
  resources: [{ name: "notes:file:///today.md", description: "Today" }],
};

describe("a reference is typed", () => {
  for (const [before, sign, words] of [
    ["/", "/", ""],
    ["/git:re", "/", "git:re"],
    ["@no", "@", "no"],
    ["look at @notes:f", "@", "notes:f"],
    ["line\n@", "@", ""],
  ] as const) {
    test(`in ${JSON.stringify(before)}`, () => {
      expect(tokenAt(before)).toEqual({ sign, words });
    });
  }

  for (const before of ["", "a/b", "see /git", "/git:review words", "me@example.com", "@notes ", "1 / 2"]) {
    test(`not in ${JSON.stringify(before)}`, () => {
      expect(tokenAt(before)).toBeNull();
    });
  }
});

describe("what may be meant", () => {
  const texts = (before: string) => completions(tokenAt(before) as never, REFERENCES).map(({ text }) => text);

  test("is what begins so, then what contains it, then what says it", () => {
    expect(texts("/git")).toEqual(["/git:commit", "/git:review"]);
    expect(texts("/commit")).toEqual(["/notes:commit", "/git:commit"]);
    expect(texts("/branch")).toEqual(["/git:review"]);
    expect(texts("/nothing")).toEqual([]);
  });

  test("after @ is a resource", () => {
    expect(texts("@")).toEqual(["@notes:file:///today.md"]);
  });
});

test("a completion replaces what was typed of it, and leaves what stands behind", () => {
  const done = complete("look at @no please", 11, {
    text: "@notes:x",
    description: "",
    arguments: [],
  });

  expect(done).toEqual({ text: "@notes:x ", end: 12 });
});
