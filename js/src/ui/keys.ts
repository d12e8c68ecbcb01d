/** Keys typed in the widget are the widget's: in command mode the notebook would take "d d" for "delete cell". */

/** Stops keys at `element`, except for those with Ctrl, Alt or Cmd (save, palette) that mean no cell action. */
export function keepKeysFromNotebook(element: HTMLElement, signal: AbortSignal): void {
  const keep = (event: KeyboardEvent) => {
    const isShortcut = event.ctrlKey || event.metaKey || event.altKey;
    if (!isShortcut || event.key === "Enter") event.stopPropagation();
  };
  element.addEventListener("keydown", keep, { signal });
}
