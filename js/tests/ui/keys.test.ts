/** Which keys leave the widget: nearly none, and none that edit text or move cells. */

import { afterEach, expect, test } from "vitest";
import { keepKeys } from "../../src/ui/keys";

const lives: AbortController[] = [];

afterEach(() => {
  for (const life of lives.splice(0)) life.abort();
  document.body.replaceChildren();
});

/** What the page, and a listener at the field, hear of a key pressed in a field. */
function heard(key: string, more: KeyboardEventInit): { page: boolean; field: boolean } {
  const life = new AbortController();
  lives.push(life);
  const [widget, field] = [document.createElement("div"), document.createElement("textarea")];
  widget.append(field);
  document.body.append(widget);
  keepKeys(widget, life.signal);
  const found = { page: false, field: false };
  const listen = (target: EventTarget, name: "page" | "field") =>
    target.addEventListener("keydown", () => (found[name] = true), { signal: life.signal });
  listen(document, "page");
  listen(field, "field");
  const keyCode = more.keyCode ?? key.toUpperCase().charCodeAt(0);
  field.dispatchEvent(
    new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more, keyCode }),
  );
  return found;
}

const [ENTER, BACKSPACE, UP, COMMA] = [13, 8, 38, 188];

test.each<[string, string, KeyboardEventInit]>([
  ["a letter", "d", {}],
  ["Enter", "Enter", { keyCode: ENTER }],
  ["Shift+Enter", "Enter", { keyCode: ENTER, shiftKey: true }],
  ["Ctrl+Enter", "Enter", { keyCode: ENTER, ctrlKey: true }],
  ["Alt+Enter", "Enter", { keyCode: ENTER, altKey: true }],
  ["undo", "z", { ctrlKey: true }],
  ["undo on a Mac", "z", { metaKey: true }],
  ["undo on a Cyrillic keyboard", "я", { ctrlKey: true, keyCode: 90 }],
  ["redo", "Z", { ctrlKey: true, shiftKey: true }],
  ["redo as in Windows", "y", { ctrlKey: true }],
  ["all cells", "a", { ctrlKey: true }],
  ["bold", "b", { ctrlKey: true }],
  ["find next", "g", { ctrlKey: true }],
  ["replace", "h", { ctrlKey: true }],
  ["inspect", "i", { ctrlKey: true }],
  ["deleting a word", "Backspace", { keyCode: BACKSPACE, ctrlKey: true }],
  ["merging cells", "M", { ctrlKey: true, shiftKey: true }],
  ["moving a cell", "ArrowUp", { keyCode: UP, ctrlKey: true, shiftKey: true }],
  ["a character of AltGr", "{", { ctrlKey: true, altKey: true, keyCode: 55 }],
  ["a character of Option", "å", { altKey: true, keyCode: 65 }],
])("%s stays", (_what, key, more) => {
  expect(heard(key, more)).toEqual({ page: false, field: true });
});

test.each<[string, string, KeyboardEventInit]>([
  ["save", "s", { ctrlKey: true }],
  ["save on a Mac", "s", { metaKey: true }],
  ["save on a Cyrillic keyboard", "ы", { ctrlKey: true, keyCode: 83 }],
  ["search", "f", { ctrlKey: true }],
  ["print", "p", { ctrlKey: true }],
  ["the settings", ",", { ctrlKey: true, keyCode: COMMA }],
  ["the palette", "C", { ctrlKey: true, shiftKey: true }],
])("%s is the application's", (_what, key, more) => {
  expect(heard(key, more)).toEqual({ page: true, field: true });
});

test.each(["Enter", "Escape", "Tab", "ArrowDown", "a"])("%s of an input method is heard by nobody", (key) => {
  for (const more of [{ isComposing: true, keyCode: 229 }, { isComposing: true }, { keyCode: 229 }])
    expect(heard(key, { keyCode: ENTER, ...more })).toEqual({ page: false, field: false });
});
