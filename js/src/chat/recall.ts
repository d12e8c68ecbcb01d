/** Up in an empty input brings the last question back, Up again the one before, Down goes the other way. */

import { useRef } from "preact/hooks";
import type { Store } from "../state/store";
import { replaceText } from "../ui/edit";

type Field = { current: HTMLTextAreaElement | null };

/** Handles a key of the input; true if it was one of these. */
export function useRecall(store: Store, field: Field): (event: KeyboardEvent) => boolean {
  const recalled = useRef({ index: -1, text: "" });
  return (event) => {
    const element = field.current;
    const step = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (!element || !step || event.shiftKey || event.ctrlKey || event.metaKey || event.altKey) return false;
    const { value, selectionStart, selectionEnd } = element;
    // What was changed is the writer's own, and the arrows move in it.
    if (value !== recalled.current.text) recalled.current = { index: -1, text: "" };
    if (value !== recalled.current.text) return false;
    const passed = step > 0 ? value.slice(0, selectionStart) : value.slice(selectionEnd);
    const index = recalled.current.index + step;
    const questions = asked(store);
    if (passed.includes("\n") || index < -1 || index >= questions.length) return false;
    recalled.current = { index, text: questions[index] ?? "" };
    replaceText(element, recalled.current.text);
    event.preventDefault();
    return true;
  };
}

/** The questions typed in this chat, newest first, each once. */
function asked(store: Store): string[] {
  const { messages, pending } = store.state.peek();
  const texts = messages.filter((it) => it.role === "user" && it.source === "chat").map((it) => it.text);
  const sent = pending.filter(({ name }) => name === "send").map(({ text }) => text);
  return [...new Set([...texts, ...sent].reverse())];
}
