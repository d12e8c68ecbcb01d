import { expect, test } from "vitest";
import { draw } from "../../src/libraries/katex";
import { copySource } from "../../src/markdown/copying";
import { drawn } from "./helpers";

test("a formula is copied as its source, once, and labels of code are not", () => {
  const { root } = drawn("The energy is $E = mc^2$.\n\n$$x$$\n\n```python\nx = 1\n```\n\nEnd.");
  for (const formula of root.querySelectorAll<HTMLElement>(".rb-math"))
    draw(formula.textContent ?? "", formula, false);
  document.body.append(root);
  getSelection()?.selectAllChildren(root);
  const copied = new Map<string, string>();
  const event = new Event("copy", { cancelable: true });
  Object.assign(event, {
    clipboardData: { setData: (type: string, data: string) => copied.set(type, data) },
  });

  copySource(event as ClipboardEvent);

  expect(event.defaultPrevented).toBe(true);
  expect(copied.get("text/plain")).toContain("The energy is $E = mc^2$.");
  expect(copied.get("text/plain")).toContain("$$x$$");
  expect(copied.get("text/plain")).toContain("x = 1");
  expect(copied.get("text/plain")).not.toContain("Insert below");
  expect(copied.get("text/html")).not.toContain("katex");
  expect(document.querySelector(".rb-copied")).toBeNull();
  root.remove();
});
