/** What is shipped, as it is committed. */

import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";

const STATIC = new URL("../../rustbot_jupyter/notebook/static/", `file://${__filename}`);
const read = (name: string): Buffer => readFileSync(new URL(name, STATIC));

test("the widget is small: it travels with each instance", () => {
  expect(read("widget.js").length).toBeLessThanOrEqual(200_000);
});

test("nothing shipped names a place to load from", () => {
  const modules = [
    read("widget.js"),
    read("widget.css"),
    ...["katex.js.gz", "markdown.js.gz"].map((name) => gunzipSync(read(name))),
  ];
  const places = modules.flatMap(
    (it) => it.toString().match(/(?:import\(|from|url\()\s*["']?(?:https?:)?\/\/[^"')]*/g) ?? [],
  );

  expect(places).toEqual([]);
});

test("the styles stay in the widget", () => {
  const css = read("widget.css")
    .toString()
    .replace(/@keyframes[^{]+\{(?:[^{}]*\{[^}]*\})*\}/g, "");
  const selectors = [...css.matchAll(/(?:^|[{}])([^{}@]+)\{/g)].map((match) => match[1] ?? "");

  expect(selectors.length).toBeGreaterThan(100);
  expect(selectors.filter((selector) => !selector.includes(".rb-"))).toEqual([]);
});

test("the lock file names no registry", () => {
  expect(readFileSync(new URL("../package-lock.json", `file://${__filename}`), "utf8")).not.toContain(
    '"resolved"',
  );
});
