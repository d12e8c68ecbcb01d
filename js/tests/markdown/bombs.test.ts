import { cpuUsage } from "node:process";
import { describe, expect, test } from "vitest";
import { MarkdownRenderer } from "../../src/markdown/renderer";
import { bombs } from "./bombs";
import { recordingContext, streamed } from "./helpers";

const BOMBS = bombs(4000);
const N = 20_000;

/** Draws group by group; the milliseconds of CPU of the longest one, for which nothing else runs in the page. */
function longestStep(root: HTMLElement, markdown: string): number {
  const renderer = new MarkdownRenderer(root, recordingContext().context);
  renderer.update(markdown, true);
  let longest = 0;
  for (let isMore = true; isMore; ) {
    const before = cpuUsage();
    isMore = renderer.step(0);
    longest = Math.max(longest, cpuUsage(before).user / 1000);
  }
  renderer.dispose();
  return longest;
}

describe("Markdown made to freeze the page", () => {
  for (const [name, bomb] of Object.entries(BOMBS)) {
    test(`is shown, and does not block: ${name}`, { timeout: 20_000 }, () => {
      const root = document.createElement("div");

      const longest = longestStep(root, bomb);

      // In a browser this is a tenth of it.
      expect(longest).toBeLessThan(1000);
      expect(depth(root)).toBeLessThan(120);
    });
  }

  test("can arrive piece by piece", { timeout: 20_000 }, () => {
    const deep = streamed("> ".repeat(N), 4000);
    const wide = streamed("**a *b ".repeat(N / 2), 8000);

    expect(depth(deep)).toBeLessThan(120);
    expect(wide.textContent?.length).toBeGreaterThan(N);
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
