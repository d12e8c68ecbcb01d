/** The browser's own menu where text is edited or chosen: JupyterLab's, of cells, can neither paste nor spell. */

import { isTextField } from "./focus";

export function keepContextMenu(element: HTMLElement, signal: AbortSignal): void {
  element.addEventListener(
    "contextmenu",
    (event) => {
      if (isTextField(event.target) || isOnSelection(event)) event.stopPropagation();
    },
    { signal },
  );
}

function isOnSelection({ target }: MouseEvent): boolean {
  const selection = getSelection();
  return (
    !!selection && !selection.isCollapsed && target instanceof Node && selection.containsNode(target, true)
  );
}
