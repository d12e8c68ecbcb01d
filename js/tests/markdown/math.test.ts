import { describe, expect, test } from "vitest";
import { draw } from "../../src/libraries/katex";
import { drawn } from "./helpers";

const formulas = (markdown: string) => drawn(markdown).asked.formulas;

describe("a formula", () => {
  for (const [markdown, tex, isBlock] of [
    ["Euler: $e^{i\\pi} + 1 = 0$.", "e^{i\\pi} + 1 = 0", false],
    ["$n$", "n", false],
    ["so ($x$), and", "x", false],
    ["\\(a_1 * b_1 * c\\)", "a_1 * b_1 * c", false],
    ["in a line $$x^2$$ here", "x^2", true],
    ["$$\na\n= b\n- c\n$$", "a\n= b\n- c", true],
    ["\\[\n\\frac{1}{2}\n\\]", "\\frac{1}{2}", true],
    ["Text\n$$\nx\n$$\nmore", "x", true],
    ["1. item:\n   $$\n   x\n   $$", "x", true],
    ["$5x + 3$", "5x + 3", false],
  ] as const) {
    test(`is found in ${JSON.stringify(markdown)}`, () => {
      expect(formulas(markdown)).toEqual([{ tex, isBlock }]);
    });
  }
});

describe("dollars", () => {
  for (const markdown of [
    "It costs $5 and $6.",
    "between $5-$6",
    "$5 million to $10 million",
    "from $1.50 up to US$2",
    "set $HOME and $PATH",
    "`$x$`",
    "```\n$x$\n```",
    "\\$x\\$",
    "a$b$c",
    "$ x $",
    "$$",
    "$",
    "$1,000 for the first$",
  ]) {
    test(`are text in ${JSON.stringify(markdown)}`, () => {
      expect(formulas(markdown)).toEqual([]);
    });
  }
});

describe("KaTeX", () => {
  test("draws", () => {
    const element = document.createElement("span");

    draw("\\frac{a}{b}", element, false);

    expect(element.querySelector(".mfrac")).not.toBeNull();
  });

  for (const tex of [
    "\\href{javascript:alert(1)}{x}",
    "\\url{https://evil.test}",
    "\\includegraphics{https://evil.test/x}",
    "\\htmlClass{x}{y}",
    "\\htmlData{a=b}{c}",
  ]) {
    test(`does not trust ${tex}`, () => {
      const element = document.createElement("span");

      draw(tex, element, false);

      expect(element.querySelector("a, img, [data-a], .x")).toBeNull();
    });
  }

  test("gives up on macros that grow without end", () => {
    expect(() => draw("\\def\\a{\\a\\a}\\a", document.createElement("span"), false)).toThrow();
  });
});
