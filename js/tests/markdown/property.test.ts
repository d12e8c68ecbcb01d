/** Whatever a model writes, its words and its code are there, in their order, also when it comes in pieces. */

import { expect, test } from "vitest";
import { drawn, unhurried } from "./helpers";

/** The same numbers for the same seed (mulberry32). */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

type Pick = (below: number) => number;
const one = <T>(pick: Pick, from: readonly T[]): T => from[pick(from.length)] as T;

const INLINES = [
  ..."alpha beta,gamma. delta~epsilon <zeta> Vec<eta> 5~6 $5 \u0024{THETA} ~/iota <s>kappa a_b_c 2*3*4 x[1](y) & !mu".split(
    " ",
  ),
  ..."**nu** *xi* `pi<rho>` ``a`sigma`` ~~tau~~ <b>ups</b> $phi$ \\(chi\\) [psi](https://a.test/omega) 漢字**「強」**字".split(
    " ",
  ),
];
const CODE = [
  "# note",
  "x = 1",
  "",
  "- item",
  "> quote",
  "| a | b |",
  "$y$ \u0024{Z}",
  "vector<int> v;",
  "    deep",
  "~~~x",
  "1. one",
  "***",
  "<div>",
];

const words = (pick: Pick) => Array.from({ length: 1 + pick(6) }, () => one(pick, INLINES)).join(" ");
const fence = (pick: Pick) => {
  const lines = Array.from({ length: 1 + pick(5) }, () => one(pick, CODE));
  return ["```cpp", ...lines, "```"];
};

function block(pick: Pick, depth = 0): string[] {
  switch (pick(depth > 1 ? 4 : 8)) {
    case 0:
      return [words(pick)];
    case 1:
      return [words(pick), words(pick)];
    case 2:
      return fence(pick);
    case 3:
      return [`${"#".repeat(1 + pick(4))} ${words(pick)}`];
    case 4:
      return ["| head | row |", "|---|:-:|", `| ${words(pick)} | \`a|b\` |`];
    case 5:
      return block(pick, depth + 1).map((line) => `> ${line}`.trimEnd());
    case 6:
      return ["$$", "phi = 1", "$$"];
    default: {
      const lead = one(pick, ["- ", "1. ", "* "]);
      return [words(pick), ...(pick(2) ? [""] : []), ...block(pick, depth + 1)].map((line, at) =>
        (at ? " ".repeat(lead.length) + line : lead + line).trimEnd(),
      );
    }
  }
}

const document_ = (pick: Pick) =>
  Array.from({ length: 1 + pick(5) }, () => block(pick).join("\n")).join("\n\n");

/** Letters and digits only, as marks may be Markdown. */
const letters = (text: string) => text.replace(/[^\p{L}\p{N}]/gu, "");

/** Of the source, what is shown: no numbers of lists, names of languages, addresses, tags that count. */
function meant(markdown: string): string {
  return letters(
    markdown
      .replace(/^([ >]*(?:[-*] )*)```cpp$/gm, "$1")
      .replace(/^([ >]*)1\. (?!one$)/gm, "$1")
      .replace(/\]\(https:[^)]*\)/g, "")
      .replace(/<\/?b>/g, ""),
  );
}

function shown(root: Element): string {
  const copy = root.cloneNode(true) as Element;
  for (const head of copy.querySelectorAll(".rb-code-head")) head.remove();
  return letters(copy.textContent ?? "");
}

const SEEDS = Array.from({ length: 150 }, (_, index) => index + 1);

test("every letter of prose and code is there, in its order", { timeout: 120_000 }, () => {
  for (const seed of SEEDS) {
    const markdown = document_(random(seed));

    expect(shown(drawn(markdown).root), `seed ${seed}:\n${markdown}`).toBe(meant(markdown));
  }
});

test("in pieces it becomes what it is as a whole", { timeout: 120_000 }, () => {
  const outline = (root: Element) =>
    [...root.querySelectorAll("p, li, h1, h2, h3, h4, td, th, code, strong, em, del, blockquote")]
      .map((it) => `${it.localName} ${(it.textContent ?? "").replace(/\s+/g, " ").trim()}`)
      .join("\n");
  for (const seed of SEEDS.slice(0, 60)) {
    const pick = random(seed);
    const markdown = document_(pick);
    const root = document.createElement("div");
    const renderer = unhurried(root);
    for (let at = 1 + pick(30); at < markdown.length; at += 1 + pick(30)) {
      renderer.update(markdown.slice(0, at), false);
      renderer.finish();
    }
    renderer.update(markdown, true);
    renderer.finish();

    expect(outline(root), `seed ${seed}:\n${markdown}`).toBe(outline(drawn(markdown).root));
  }
});
