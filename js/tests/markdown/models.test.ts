/** What models write, as a reader of Markdown expects it. */

import { describe, expect, test } from "vitest";
import { highlight } from "../../src/markdown/highlight";
import { drawn, streamed, unhurried } from "./helpers";

const text = (root: Element | null): string => (root?.textContent ?? "").trim();
const all = (root: Element, selector: string): string[] => [...root.querySelectorAll(selector)].map(text);

/** What stands there while `markdown` is all that has come. */
function sofar(markdown: string): HTMLElement {
  const root = document.createElement("div");
  const renderer = unhurried(root);
  renderer.update(markdown, false);
  renderer.finish();
  return root;
}

describe("code in a list or quote", () => {
  const CODE = ["# a comment", "x = 1", "", "## two marks", "- y", "> z"];
  for (const lead of ["- ", "1. ", "10. ", "> ", "- > ", "> 1. ", "* - "]) {
    for (const length of [3, 7, 1000]) {
      test(`counts until it is closed, behind ${JSON.stringify(lead)} in pieces of ${length}`, () => {
        const further = lead.replace(/[^>]/g, " ");
        const lines = ["```bash", ...CODE, "```"].map((line, at) =>
          `${at ? further : lead}${line}`.trimEnd(),
        );

        const root = streamed(`${lines.join("\n")}\n\nThe **end**.`, length);

        expect(all(root, ".rb-code code")).toEqual([CODE.join("\n")]);
        expect(all(root, "h1, h2")).toEqual([]);
        expect(all(root, "strong")).toEqual(["end"]);
      });
    }
  }

  test("is code also where it is not indented as the list demands", () => {
    const { root } = drawn("1. Do:\n   ```python\n   if x:\n# left\n       y\n   ```\n2. Then.");

    expect(all(root, ".rb-code code")).toEqual(["if x:\n# left\n    y"]);
    expect(all(root, "li")).toHaveLength(2);
  });

  test("may be long", () => {
    const code = Array.from({ length: 400 }, (_, index) => `value_${index} = "**${index}**"`);

    const root = streamed(
      `- Do:\n\n  \`\`\`python\n${code.map((it) => `  ${it}`).join("\n")}\n  \`\`\`\n- Then.`,
      3000,
    );

    expect(all(root, ".rb-code code")).toEqual([code.join("\n")]);
  });
});

describe("prose is read as it was typed", () => {
  for (const prose of [
    "Ages 10~20 and prices 30~40.",
    "The first (~$1.50) and the second (~$10).",
    "大约3~5天，价格100~200元。",
    "Files ~/a and b~ there.",
    "Use the <div> tag or a <span>; the <s> tag strikes and <b> is bold.",
    "<p>, <section>, <details>, <center> and <font color=red>red</font>",
    "A <T> or Vec<u8>, and <!-- a comment -->",
    "Set \u0024{HOME}/bin:\u0024{PATH} first.",
    "see \\[1\\]".replaceAll("\\", "") as string,
    "`</b>` closes <b>",
  ]) {
    test(prose, () => {
      const { root, asked } = drawn(`${prose}\n\nAnother *paragraph*.`);

      expect(text(root.querySelector("p"))).toBe(prose.replaceAll("`", ""));
      expect(root.querySelector("del, s, b, u")).toBeNull();
      expect(all(root, "em")).toEqual(["paragraph"]);
      expect(asked.formulas).toEqual([]);
    });
  }

  test("two tildes strike, and simple marks count when they are closed", () => {
    const { root } = drawn("~~gone~~ H<sub>2</sub>O <kbd>Esc</kbd> <u>a **b**</u>");

    expect(all(root, "del, sub, kbd, u")).toEqual(["gone", "2", "Esc", "a b"]);
    expect(all(root, "u strong")).toEqual(["b"]);
  });

  test("lines end as they end", () => {
    const { root } = drawn("Roses are red\nViolets are blue\n\n- Name: x\n  Street: y");

    expect(root.querySelectorAll("p br")).toHaveLength(1);
    expect(root.querySelectorAll("li br")).toHaveLength(1);
  });

  for (const mark of ["（说明）了解更多", "，详见", "。", "、和", "です", "한국"]) {
    test(`a bare address ends before ${mark}`, () => {
      const { root } = drawn(`见 https://example.com/docs${mark}`);

      expect(root.querySelector("a")?.getAttribute("href")).toBe("https://example.com/docs");
      expect(text(root)).toBe(`见 https://example.com/docs${mark}`);
    });
  }

  test("emphasis counts beside the punctuation of Chinese, Japanese and Korean", () => {
    const { root } = drawn("これは**「重要」**です。请看**重点：**这里，*（斜）*字。");

    expect(all(root, "strong")).toEqual(["「重要」", "重点："]);
    expect(all(root, "em")).toEqual(["（斜）"]);
  });
});

describe("what Markdown has elsewhere", () => {
  test("code and formulas in a table may hold a |", () => {
    const { root, asked } = drawn("| a | b |\n|---|---|\n| `x|y` | $|z|$ |\n| ``a`|b`` | 2 |\n\nafter");

    expect([...root.querySelectorAll("tbody tr")].map((row) => row.children.length)).toEqual([2, 2]);
    expect(all(root, "td code")).toEqual(["x|y", "a`|b"]);
    expect(asked.formulas.map(({ tex }) => tex)).toEqual(["|z|"]);
    expect(all(root, "p").at(-1)).toBe("after");
  });

  test("footnotes are small numbers", () => {
    const { root } = drawn("Said[^1], and `[^1]`.\n\n[^1]: There.");

    expect(all(root, "sup")).toEqual(["1", "1"]);
    expect(text(root)).toContain("There.");
    expect(all(drawn("the class [^1]").root, "sup")).toEqual([]);
  });

  for (const kind of ["note", "tip", "important", "warning", "caution"]) {
    test(`a box: ${kind}`, () => {
      const { root } = drawn(`> [!${kind.toUpperCase()}]\n> Look **here**.\n\nafter`);

      expect(text(root.querySelector(`.rb-box-${kind} .rb-box-title`)).toLowerCase()).toBe(kind);
      expect(all(root, "blockquote strong")).toEqual(["here"]);
      expect(text(root)).not.toContain("[!");
    });
  }

  for (const length of [4, 1000]) {
    test(`parts fold, in each other, in pieces of ${length}`, () => {
      const inner = "<details open>\n<summary>Inner</summary>\n\n```py\nx\n```\n</details>";
      const source = `before\n\n<details><summary>Outer</summary>\n\n*a*\n\n${inner}\n\nb\n\n</details>\n\nafter`;

      const root = streamed(source, length);

      const outer = root.querySelector<HTMLDetailsElement>("details");
      expect(all(root, "summary")).toEqual(["Outer", "Inner"]);
      expect(outer?.open).toBe(false);
      expect(all(root, "details details code")).toEqual(["x"]);
      expect(outer?.contains([...root.querySelectorAll("p")].at(-1) ?? null)).toBe(false);
      expect(all(root, "p")).toEqual(["before", "a", "b", "after"]);
    });
  }

  test("what folds and never ends hides nothing", () => {
    expect(drawn("<details>\n\nall the rest").root.querySelector("details")?.open).toBe(true);
    expect(text(drawn("a </details> b").root)).toBe("a </details> b");
  });

  test("a file of Markdown in a fence stays whole", () => {
    const file = "# Title\n\n```python\nx = 1\n```\n\nMore.";

    const root = streamed(`\`\`\`markdown\n${file}\n\`\`\`\n\nafter`, 5);

    expect(all(root, ".rb-code code")).toEqual([file]);
    expect(all(root, "p")).toEqual(["after"]);
  });
});

describe("the language of code", () => {
  test("is read as it is written elsewhere", () => {
    for (const info of ["python", "Python title=x", "{python}", "{.python #id}", " python,linenos"])
      expect(all(drawn(`\`\`\`${info}\nx\n\`\`\``).root, ".rb-code-language")).toEqual(["python"]);
  });

  const NAMES =
    "go cpp c java rust css markdown latex matlab console dockerfile r julia sql yaml toml json bash sh powershell ts js html xml diff ini py csharp";
  for (const name of NAMES.split(" "))
    test(`${name} is coloured`, () => {
      expect(highlight('x = "1"', name)).not.toBeNull();
    });
});

describe("while it is written", () => {
  for (const [markdown, selector] of [
    ["Three ways:\n-", "h1, h2, li"],
    ["Three ways:\n=", "h1"],
    ["A table:\n\n| a | b |", "p:nth-of-type(2)"],
    ["A table:\n\n| a | b |\n|--", "h2, p:nth-of-type(2)"],
    ["Text\n#", "h1"],
  ] as const) {
    test(`nothing flashes after ${JSON.stringify(markdown)}`, () => {
      expect(sofar(markdown).querySelector(selector)).toBeNull();
    });
  }

  for (const [markdown, shown] of [
    ["The **bo", "The bo"],
    ["The _weak", "The weak"],
    ["so $\\frac{a}", "so"],
    ["so \\(x + ", "so"],
    ["H<su", "H"],
    ["a [link](https://exa", "a link"],
    ["it costs $5 now", "it costs $5 now"],
    ["code `a", "code a"],
    ["x ~~gone", "x gone"],
  ] as const) {
    test(`${JSON.stringify(markdown)} shows ${JSON.stringify(shown)}`, () => {
      expect(text(sofar(markdown))).toBe(shown);
    });
  }

  test("what is held back comes in the end", () => {
    for (const markdown of ["a\n-", "| a | b |", "so $x", "H<su", "1", "x\n\\", "| a |\n\n"])
      expect(text(drawn(markdown).root).replace(/\s+/g, "")).not.toBe(text(drawn("").root));
  });
});
