/** Alt+R anywhere in the page, on a Mac Ctrl+R, leads to the input of the chat that was used last, and back again. */

import type { View } from "../view";
import { focusPrompt } from "./focus";

// Elsewhere Ctrl+R loads the page anew, and on a Mac Option+R types a character.
const isKey = ({ code, altKey, ctrlKey, metaKey, shiftKey }: KeyboardEvent): boolean =>
  code === "KeyR" && !metaKey && !shiftKey && altKey !== ctrlKey && ctrlKey === isMac();

const isMac = (): boolean => /Mac|iP(hone|ad)/.test(navigator.platform);

/** The chats of the page, each of a module of its own, the one used last first. */
function chats(): View[] {
  const page = globalThis as { [key: symbol]: unknown };
  const name = Symbol.for("rustbot.chats");
  page[name] ??= [];
  return page[name] as View[];
}

const isInSight = ({ element }: View): boolean => element.isConnected && element.offsetParent !== null;

export function listenForFocusKey(view: View, signal: AbortSignal): void {
  let before: Element | null = null;
  const leave = () => {
    const at = chats().indexOf(view);
    if (at >= 0) chats().splice(at, 1);
  };
  const use = () => {
    leave();
    chats().unshift(view);
  };
  const press = (event: KeyboardEvent) => {
    if (event.defaultPrevented || !isKey(event) || chats().find(isInSight) !== view) return;
    event.preventDefault();
    if (view.element.contains(document.activeElement)) {
      if (before instanceof HTMLElement) before.focus();
      return;
    }
    before = document.activeElement;
    view.tab.value = "chat";
    view.element.scrollIntoView({ block: "nearest" });
    // Once the tab is drawn.
    requestAnimationFrame(() => focusPrompt(view));
  };
  use();
  view.element.addEventListener("focusin", use, { signal });
  // Keys pressed in the widget do not get to the document.
  view.element.addEventListener("keydown", press, { signal });
  document.addEventListener("keydown", press, { signal });
  signal.addEventListener("abort", leave);
}
