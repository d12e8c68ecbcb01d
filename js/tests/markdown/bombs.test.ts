import { describe, expect, test } from "vitest";
import { drawn, streamed } from "./helpers";

const N = 20_000;
const lines = (line: (index: number) => string, count = N) =>
  Array.from({ length: count }, (_, index) => line(index)).join("\n");

const BOMBS: Record<string, string> = {
  "quotes in one line": ">".repeat(N),
  "quotes in one line with text": `${"> ".repeat(N)}deep`,
  "quotes in many lines": lines((index) => `${">".repeat((index % 300) + 1)} x`, 2000),
  "list markers in one line": "- ".repeat(N),
  "ordered markers in one line": "1. ".repeat(N),
  "mixed markers in one line": "- > 1. ".repeat(N / 3),
  "lists nested by indent": lines((index) => `${" ".repeat(2 * (index % 400))}- x`, 2000),
  items: lines(() => "- x"),
  "opening brackets": "[".repeat(N),
  "closing brackets": "]".repeat(N),
  "bracket pairs": "[]".repeat(N),
  "empty links": "[](".repeat(N),
  "nested links": `${"[".repeat(N)}x${"](y)".repeat(N)}`,
  links: "[a](https://b.test) ".repeat(N),
  images: "![a](https://b.test/c.png) ".repeat(N / 4),
  "opening images": "![".repeat(N),
  "unclosed link targets": "[a](<b".repeat(N),
  references: lines((index) => `[a${index}]: https://b.test/${index}`, 5000),
  "references used": `${"[a][b] ".repeat(N)}\n\n[b]: https://b.test`,
  stars: "*".repeat(N),
  "stars and letters": "*a ".repeat(N),
  "opening strong": "**a *b ".repeat(N / 2),
  "closing strong": "a** b* ".repeat(N / 2),
  underscores: "_a __b ".repeat(N / 2),
  tildes: "~~a ~b ".repeat(N / 2),
  backticks: "`".repeat(N),
  "backticks of all lengths": Array.from({ length: 200 }, (_, index) => "`".repeat(index)).join(" "),
  fences: lines(() => "```"),
  "fences of all lengths": lines((index) => "`".repeat(3 + (index % 200)), 2000),
  "an open fence": `\`\`\`python\n${lines(() => "x = 1")}`,
  "a table of many columns": `|${"a|".repeat(N)}\n|${"-|".repeat(N)}\n|${"b|".repeat(N)}`,
  "a table of many columns and rows": `|${"a|".repeat(2000)}\n|${"-|".repeat(2000)}\n${lines(() => "|x|", 2000)}`,
  "a table of many rows": `|a|b|\n|-|-|\n${lines(() => "|x|y|")}`,
  pipes: "|".repeat(N),
  rules: lines(() => "---"),
  headings: lines(() => "# x"),
  setext: lines((index) => (index % 2 ? "===" : "x")),
  hashes: "#".repeat(N),
  "html opening": "<b>".repeat(N),
  "html nested": `${"<sub>".repeat(N)}x${"</sub>".repeat(N)}`,
  "less-than": "<".repeat(N),
  comments: "<!--".repeat(N),
  cdata: "<![CDATA[".repeat(N),
  entities: "&amp;".repeat(N),
  "open entities": "&#x".repeat(N),
  backslashes: "\\".repeat(N),
  mails: "a@".repeat(N),
  "mail dots": `${"a.".repeat(N)}@${"b.".repeat(N)}`,
  addresses: "https://a.test/".repeat(N / 4),
  www: "www.".repeat(N),
  dollars: "$".repeat(N),
  "dollars and letters": "$a ".repeat(N),
  "open formulas": "\\(".repeat(N),
  formulas: "$x$ ".repeat(N),
  "formula blocks": lines(() => "$$\nx\n$$", 4000),
  "open formula blocks": lines(() => "$$"),
  spaces: " ".repeat(100_000),
  "spaces before text": `${" ".repeat(100_000)}x`,
  tabs: "\t".repeat(N),
  "line breaks": "\n".repeat(100_000),
  "trailing spaces": lines(() => "x  "),
  "one word": "x".repeat(500_000),
  "combining marks": `a${"\u0301".repeat(N)}`,
  "right to left": "\u202e".repeat(N),
  "task items": lines(() => "- [ ] x"),
  parentheses: `[a](${"(".repeat(N)}`,
  "quoted fences": lines(() => "> ```"),
};

describe("Markdown made to freeze the page", () => {
  for (const [name, bomb] of Object.entries(BOMBS)) {
    test(`is shown within two seconds: ${name}`, { timeout: 20_000 }, () => {
      const start = performance.now();

      const { root } = drawn(bomb);

      expect(performance.now() - start).toBeLessThan(2000);
      expect(depth(root)).toBeLessThan(120);
    });
  }

  test("can arrive piece by piece", { timeout: 20_000 }, () => {
    const start = performance.now();

    streamed("> ".repeat(N), 500);
    streamed("**a *b ".repeat(N / 2), 2000);

    expect(performance.now() - start).toBeLessThan(5000);
  });
});

function depth(root: Element): number {
  let deepest = 0;
  let level: Element[] = [root];
  while (level.length > 0) {
    deepest += 1;
    level = level.flatMap((element) => [...element.children]);
  }
  return deepest;
}
