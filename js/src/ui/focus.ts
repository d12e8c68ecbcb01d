/** Keeps the focus in the widget: whoever pressed something in it goes on typing there, not into the notebook's commands. */

import type { View } from "../view";

const TEXT_FIELD = "textarea, input:not([type=checkbox], [type=radio]), [contenteditable=true]";
const CONTROL = ":is(a[href], button, input, select, textarea):not(:disabled)";
/** What takes the focus when something is clicked that takes none itself. */
const BACKGROUND = ".rb-root, .rb-panel, .rb-scroll";

export const isTextField = (target: EventTarget | null): boolean =>
  target instanceof Element && target.matches(TEXT_FIELD);

export const focusPrompt = (view: View): void => promptOf(view)?.focus({ preventScroll: true });

/** Puts the focus into the input as soon as the view has a place in the page. */
export function focusWhenShown(view: View, signal: AbortSignal): void {
  const observer = new ResizeObserver(() => {
    if (view.element.offsetParent === null) return;
    observer.disconnect();
    focusPrompt(view);
  });
  observer.observe(view.element);
  signal.addEventListener("abort", () => observer.disconnect());
}

/** The chat's input, while the chat is what is shown. */
const promptOf = (view: View): HTMLElement | null =>
  view.element.querySelector<HTMLElement>(".rb-panel-chat:not([hidden]) .rb-composer textarea");

/** Puts the focus where one would type or look next after `lost` was taken away. */
function focusNext(view: View, lost: HTMLElement, around: readonly Element[]): void {
  // Letters answer a question: only who has just answered one is led to the next.
  const question = lost.closest('[data-kind="approval"]') && '[data-kind="approval"]';
  const next =
    (question && view.element.querySelector<HTMLElement>(question)) ??
    promptOf(view) ??
    neighbour(around) ??
    view.element.querySelector<HTMLElement>(".rb-panel:not([hidden])") ??
    view.element.querySelector<HTMLElement>(".rb-root");
  next?.focus({ preventScroll: true });
}

/** A control near by: the next button of the same row, say. */
function neighbour(around: readonly Element[]): HTMLElement | null {
  const place = around.find((element) => element.isConnected && !element.matches(BACKGROUND));
  return place?.querySelector<HTMLElement>(CONTROL) ?? null;
}

export function keepFocus(view: View, signal: AbortSignal): void {
  const { element } = view;
  let held: HTMLElement | null = null;
  let around: readonly Element[] = [];
  const isLost = () => held !== null && !canHold(held);
  /** What was pressed is gone or switched off: browsers then leave the focus to nobody, which is the notebook. */
  const rescue = () => {
    if (!isLost()) return;
    const lost = held as HTMLElement;
    held = null;
    // Somebody else may have taken it meanwhile.
    const now = document.activeElement;
    const isNobodys = now === null || now === document.body || !canHold(now);
    if (element.isConnected && isNobodys) focusNext(view, lost, around);
  };
  const observer = new MutationObserver(rescue);
  observer.observe(element, {
    subtree: true,
    childList: true,
    attributes: true,
    attributeFilter: ["disabled", "hidden"],
  });
  signal.addEventListener("abort", () => observer.disconnect());

  element.addEventListener(
    "focusin",
    ({ target }) => {
      held = target as HTMLElement;
      around = ancestors(held, element);
    },
    { signal },
  );
  element.addEventListener(
    "focusout",
    () => {
      // Once it is known whether it was taken away or went by itself.
      queueMicrotask(() => {
        if (!isLost() && !element.contains(document.activeElement)) held = null;
      });
    },
    { signal },
  );
  element.addEventListener("keydown", (event) => typeOn(view, event), { signal });
}

const canHold = (element: Element): boolean =>
  element.isConnected && !element.matches(":disabled") && !element.closest("[hidden]");

/** Letters typed where nothing takes them go into the input; a blank scrolls, as in every text that is read. */
function typeOn(view: View, event: KeyboardEvent): void {
  const isText = event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey;
  // AltGr types characters, and holds both.
  const isAltGr = event.getModifierState?.("AltGraph") && event.key.length === 1;
  const isOnBackground = event.target instanceof Element && event.target.matches(BACKGROUND);
  if (event.defaultPrevented || !isOnBackground || !(isText || isAltGr)) return;
  // The browser puts the letter where the focus is by then.
  focusPrompt(view);
}

function ancestors(element: Element, until: Element): Element[] {
  const found: Element[] = [];
  for (let at = element.parentElement; at && at !== until; at = at.parentElement) found.push(at);
  return found;
}
