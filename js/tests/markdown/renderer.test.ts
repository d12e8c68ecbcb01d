import { describe, expect, test } from "vitest";
import { MarkdownRenderer } from "../../src/markdown/renderer";
import { drawn, recordingContext, streamed, unhurried } from "./helpers";

const EVERYTHING = `# Title

A paragraph with **strong**, *weak*, \`code\` and a [link](https://example.com/a).
Its second line.

Setext
------

1. one

   more of one
2. two
   - inner
   - other

     deep

- [ ] open
- [x] done

> quoted
> more

| a | b |
|---|:-:|
| 1 | 2 |
| 3 | 4 |

\`\`\`python
def f(x):

    return "\`\`" + x
\`\`\`

~~~
plain
~~~

Text before:
- item
* * *
    indented code

$$
a
= b
$$

See [the docs][d].

[d]: https://example.com/docs
Last words.`;

const html = (root: HTMLElement) =>
  root.innerHTML.replace(/<div class="rb-section">|<div class="rb-open-block"><\/div>/g, "");

describe("Markdown that streams", () => {
  for (const length of [3, 17, 64]) {
    test(`looks in the end as if it had come at once, in pieces of ${length}`, { timeout: 20_000 }, () => {
      const whole = drawn(EVERYTHING).root;

      const pieces = streamed(EVERYTHING, length);

      expect(html(pieces)).toBe(html(whole));
    });
  }

  test("keeps the nodes of finished blocks", () => {
    const root = document.createElement("div");
    const renderer = unhurried(root);
    renderer.update("first\n\nsecond", false);
    renderer.finish();
    const first = root.querySelector("p");

    renderer.update("first\n\nsecond\n\nthird", false);
    renderer.finish();

    expect(root.querySelector("p")).toBe(first);
    expect(root.querySelectorAll("p")).toHaveLength(3);
  });

  test("appends to an open code block without drawing it again", () => {
    const root = document.createElement("div");
    const renderer = unhurried(root);
    renderer.update("```python\nx = 1\n", false);
    renderer.finish();
    const code = root.querySelector("code");

    renderer.update("```python\nx = 1\ny = 2\n", false);
    renderer.finish();

    expect(root.querySelector("code")).toBe(code);
    expect(code?.textContent).toBe("x = 1\ny = 2");
  });

  test("closes marks that are still open at the end", () => {
    const root = document.createElement("div");
    const renderer = unhurried(root);

    renderer.update("It is **very impor", false);
    renderer.finish();

    expect(root.querySelector("strong")?.textContent).toBe("very impor");
  });

  test("starts over when the text is another one", () => {
    const root = document.createElement("div");
    const renderer = unhurried(root);
    renderer.update("one\n\ntwo", true);
    renderer.finish();

    renderer.update("three", true);
    renderer.finish();

    expect(root.textContent?.trim()).toBe("three");
  });

  test("shows the whole text of every block", () => {
    const { root } = drawn(EVERYTHING);

    const shown = [
      "Title",
      "Its second line.",
      "more of one",
      "deep",
      "☐ open",
      "☑ done",
      "quoted",
      "plain",
      "Last words.",
    ];
    for (const text of shown) expect(root.textContent).toContain(text);
    expect(root.querySelectorAll("table")).toHaveLength(1);
    expect(root.querySelectorAll(".rb-code")).toHaveLength(3);
    expect(root.querySelector('a[href="https://example.com/docs"]')?.textContent).toBe("the docs");
  });
});

describe("a single huge block", () => {
  const words = "word ".repeat(60_000);
  test("a paragraph is cut into pieces and nothing is lost", () => {
    const { root } = drawn(words);

    expect(root.textContent?.replace(/\s+/g, "")).toBe(words.replace(/\s+/g, ""));
    expect(root.querySelectorAll("p").length).toBeGreaterThan(10);
  });

  test("a table stays one, with one head", () => {
    const rows = Array.from({ length: 500 }, (_, index) => `| ${index} | ${"x".repeat(20)} |`);

    const { root } = drawn(["| a | b |", "|---|---|", ...rows].join("\n"));

    expect(root.querySelectorAll(".rb-table")).toHaveLength(1);
    expect(root.querySelectorAll("thead")).toHaveLength(1);
    expect(root.querySelectorAll("tbody tr")).toHaveLength(500);
  });

  test("an ordered list goes on with its numbers", () => {
    const items = Array.from({ length: 2000 }, (_, index) => `${index + 1}. item ${index + 1}`);

    const { root } = drawn(items.join("\n"));

    const lists = [...root.querySelectorAll("ol")];
    const starts = lists.map((list) => list.start);
    const sizes = lists.map((list) => list.children.length);
    expect(sizes.reduce((sum, size) => sum + size)).toBe(2000);
    expect(starts.slice(1)).toEqual(
      sizes.slice(0, -1).map((_, at) => 1 + sizes.slice(0, at + 1).reduce((a, b) => a + b)),
    );
  });

  test("code keeps every character", () => {
    const code = Array.from({ length: 20_000 }, (_, index) => `line ${index}`).join("\n");

    const { root } = drawn(`\`\`\`\n${code}\n\`\`\``);

    expect(root.querySelector("code")?.textContent).toBe(code);
  });
});

describe("an answer that takes too long to draw", () => {
  test("is drawn as long as there is time, and ends as plain text without losing anything", () => {
    const root = document.createElement("div");
    let now = 0;
    // Drawing a block takes half a second.
    const renderer = new MarkdownRenderer(root, recordingContext().context, () => {
      now += 500;
      return now;
    });
    const blocks = Array.from({ length: 40 }, (_, at) => `**${at}** ${"word ".repeat(400)}end`);

    renderer.update(blocks.join("\n\n"), true);
    renderer.finish();

    const bold = root.querySelectorAll("strong").length;
    expect(bold).toBeGreaterThan(0);
    expect(bold).toBeLessThan(blocks.length);
    const words = (text: string) => text.replaceAll("*", "").split(/\s+/).filter(Boolean);
    expect(words([...root.querySelectorAll("p")].map((it) => it.textContent).join("\n"))).toEqual(
      words(blocks.join("\n")),
    );
  });
});
