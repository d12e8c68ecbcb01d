/** Keys pressed in the widget are the widget's: the notebook would take "d d" for "delete cell", Ctrl+Z for its own undo. */

/** True if an input method has the key: Enter takes its suggestion, Escape drops it. Safari says so by 229 only. */
const isComposing = (event: KeyboardEvent): boolean => event.isComposing || event.keyCode === 229;

const codes = (letters: string): number[] => Array.from(letters, (letter) => letter.charCodeAt(0));
const [COMMA, PERIOD, OPENING_BRACKET, CLOSING_BRACKET, QUOTE] = [188, 190, 219, 221, 222];
/** With Ctrl or Cmd these are the application's wherever the focus is: save, print, search, settings. */
const APP_KEYS: ReadonlySet<number> = new Set([...codes("SPF"), COMMA]);
/** With Shift, too: the palette, panels, tabs; but neither redo nor the merging of cells. */
const APP_KEYS_WITH_SHIFT: ReadonlySet<number> = new Set([
  ...codes("ABCDEFGHIJKLNOPQRSTUVWXY"),
  ...[COMMA, PERIOD, OPENING_BRACKET, CLOSING_BRACKET, QUOTE],
]);

function isOfTheApp(event: KeyboardEvent): boolean {
  // With Alt, too, it is AltGr, which types characters.
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return false;
  // As JupyterLab reads keys: by their codes, which are the same on a Greek and on a Cyrillic keyboard.
  return (event.shiftKey ? APP_KEYS_WITH_SHIFT : APP_KEYS).has(event.keyCode);
}

/** Stops keys at `element`, but for those of the application; what an input method has, nobody else gets. */
export function keepKeys(element: HTMLElement, signal: AbortSignal): void {
  element.addEventListener(
    "keydown",
    (event) => {
      if (isComposing(event)) event.stopImmediatePropagation();
    },
    { capture: true, signal },
  );
  element.addEventListener(
    "keydown",
    (event) => {
      if (!isOfTheApp(event)) event.stopPropagation();
    },
    { signal },
  );
}
