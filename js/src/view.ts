/** What one view has for itself: the open tab, and what another tab asks of it. */

import { type Signal, signal } from "@preact/signals";

let created = 0;

export class View {
  /** Prefix for ids in the page; two views of one widget must not share them. */
  readonly id = `rb-${(created++).toString(36)}${Math.floor(performance.now()).toString(36)}`;
  readonly tab: Signal<string>;
  /** The link somebody clicked, until it is opened or not. */
  readonly linkToOpen: Signal<{ url: string; anchor: HTMLElement } | null> = signal(null);
  /** Counts the requests to focus the key field; the Settings tab answers each. */
  readonly keyFocusRequests = signal(0);
  /** How many of them were answered. */
  answeredKeyRequests = 0;

  /** Puts what was typed elsewhere and could not be used there into the input, which sets this. */
  bringBack: (...texts: string[]) => void = () => {};

  constructor(
    /** The widget's element; events for the page are dispatched from here. */
    readonly element: HTMLElement,
    tab: string,
    /** Names the place in the notebook, whichever kernel and bot are shown there; "" where nobody knows it. */
    readonly place = "",
  ) {
    this.tab = signal(tab);
  }

  /** Shows the Settings tab with the key field focused. */
  askForKey(): void {
    this.tab.value = "settings";
    this.keyFocusRequests.value += 1;
  }
}
