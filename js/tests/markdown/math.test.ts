import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { draw } from "../../src/libraries/katex";
import { drawn } from "./helpers";

const formulas = (markdown: string) => drawn(markdown).asked.formulas;

const read = (name: string) => JSON.parse(readFileSync(new URL(name, import.meta.url), "utf8"));
/** Cells are held to the same cases. */
const CASES: [string, string[]][] = read("../../../tests/fixtures/formulas.json");

describe("formulas", () => {
  for (const [markdown, wanted] of CASES) {
    test(`of ${JSON.stringify(markdown)}`, () => {
      expect(formulas(markdown).map(({ tex }) => tex.replace(/\s*\n\s*/g, " "))).toEqual(wanted);
    });
  }

  test("stand alone or in a line", () => {
    expect(formulas("$x$ and \\(y\\)").map(({ isBlock }) => isBlock)).toEqual([false, false]);
    expect(formulas("$$x$$\n\n\\[y\\]\n\n\\begin{align}z\\end{align}").map(({ isBlock }) => isBlock)).toEqual(
      [true, true, true],
    );
  });
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
