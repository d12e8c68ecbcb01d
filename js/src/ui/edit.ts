/** Changes the text of a field as if it were typed: Ctrl+Z takes it back, and an input event is heard. */

type Field = HTMLTextAreaElement | HTMLInputElement;

/** Puts `text` in the place of what stands from `start` to `end`, the caret behind it. */
export function replaceText(field: Field, text: string, start = 0, end = field.value.length): void {
  if (text === field.value.slice(start, end)) return;
  if (document.activeElement === field && typeInto(field, text, start, end)) return;
  // Nobody types there: without a list of what to take back.
  field.setRangeText(text, start, end, "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

function typeInto(field: Field, text: string, start: number, end: number): boolean {
  field.setSelectionRange(start, end);
  // Deprecated, and the only way into the browser's own list of what to take back.
  return text === ""
    ? !!document.execCommand?.("delete")
    : !!document.execCommand?.("insertText", false, text);
}
