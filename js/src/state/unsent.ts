/** What was typed and not sent, by where it was typed: kept over a view made anew, a reload of the page, the end of a kernel. */

import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

const PREFIX = "rustbot:unsent:";
const SAVED_AFTER_MS = 300;

/** Beside the browser's storage, which can be forbidden or full; every widget of the page has the same. */
const inMemory = (): Map<string, string> => {
  const page = globalThis as { [key: symbol]: unknown };
  const name = Symbol.for("rustbot.unsent");
  page[name] ??= new Map();
  return page[name] as Map<string, string>;
};

export function loadUnsent(key: string): string | null {
  const known = inMemory().get(key);
  if (known !== undefined) return known;
  try {
    return sessionStorage.getItem(PREFIX + key);
  } catch {
    return null;
  }
}

/** Null forgets it. */
export function saveUnsent(key: string, text: string | null): void {
  if (text === null) inMemory().delete(key);
  else inMemory().set(key, text);
  try {
    if (text === null) sessionStorage.removeItem(PREFIX + key);
    else sessionStorage.setItem(PREFIX + key, text);
  } catch {
    // Then it lives as long as the page.
  }
}

/** Saves `text` under `key` a moment after it changed, and at once when view or page go; returns how to forget it. */
export function useSaved(key: string, text: string | null): () => void {
  // As it was found: another view may have more.
  const latest = useRef({ key, text, isSaved: true });
  if (latest.current.key !== key || latest.current.text !== text)
    latest.current = { key, text, isSaved: key === "" };
  const saveNow = useCallback(() => {
    const { key, text, isSaved } = latest.current;
    if (!isSaved) saveUnsent(key, text);
    latest.current.isSaved = true;
  }, []);
  useEffect(() => {
    const timer = setTimeout(saveNow, SAVED_AFTER_MS);
    return () => clearTimeout(timer);
  }, [key, text, saveNow]);
  // A layout effect ends with its view, before another view is made in its place.
  useLayoutEffect(() => {
    window.addEventListener("pagehide", saveNow);
    return () => {
      window.removeEventListener("pagehide", saveNow);
      saveNow();
    };
  }, [saveNow]);
  return useCallback(() => {
    latest.current = { key: latest.current.key, text: null, isSaved: true };
    saveUnsent(latest.current.key, null);
  }, []);
}

/** The text of a field that is made for `key`; null while there is none, or it is forgotten. */
export function useUnsent(key: string): [string | null, (text: string | null) => void] {
  const [text, setText] = useState(() => loadUnsent(key));
  const forget = useSaved(key, text);
  const set = useCallback(
    (next: string | null) => {
      // At once: with what it was typed for, the view of it may go.
      if (next === null) forget();
      setText(next);
    },
    [forget],
  );
  return [text, set];
}
