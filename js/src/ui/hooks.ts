/** Small hooks that several components need. */

import type { ReadonlySignal } from "@preact/signals";
import { useEffect, useMemo, useState } from "preact/hooks";
import type { State } from "../state/state";
import type { Store } from "../state/store";

/** The part of the state that `selector` picks; renders again when that part changes. */
export function useSelect<T>(store: Store, selector: (state: State) => T): T {
  const picked: ReadonlySignal<T> = useMemo(() => store.select(selector), [store]);
  return picked.value;
}

/** The time in milliseconds, renewed every `everyMs` while `isOn`. */
export function useClock(isOn: boolean, everyMs: number): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!isOn) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [isOn, everyMs]);
  return now;
}

/** Calls `close` when somebody presses outside the parent of `card`. */
export function useCloseOutside(card: { current: HTMLElement | null }, close: () => void): void {
  useEffect(() => {
    const opened = new AbortController();
    const check = (event: Event) => {
      const { target } = event;
      const isInside = target instanceof Node && card.current?.parentElement?.contains(target);
      if (!isInside) close();
    };
    document.addEventListener("pointerdown", check, { signal: opened.signal });
    return () => opened.abort();
  });
}
