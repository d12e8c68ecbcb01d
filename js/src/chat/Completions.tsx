/** The list of what the input completes, with the keys that choose from it. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { References } from "../protocol";
import type { Store } from "../state/store";
import { replaceText } from "../ui/edit";
import { Inert } from "../ui/Inert";
import { type Completion, complete, completions, tokenAt } from "./completion";

/** Servers come and go; the list is asked for again after this time. */
const FRESH_MS = 10_000;

/** No more than this before the caret is looked at: typing in a long text must cost nothing more. */
const LONGEST_NAME = 1000;

type Field = { current: HTMLTextAreaElement | null };

export interface Completing {
  options: readonly Completion[];
  at: number;
  listId: string;
  /** To be called when the text or the caret has moved. */
  look(): void;
  /** Whether the key was for the list. */
  press(event: KeyboardEvent): boolean;
  pick(option: Completion): void;
}

export function useCompleting(store: Store, field: Field, listId: string): Completing {
  /** What stands before the caret; of a long text its end. */
  const [before, setBefore] = useState("");
  const [dismissed, setDismissed] = useState("");
  const [at, setAt] = useState(0);
  const token = tokenAt(before);
  const references = useReferences(store, token !== null);
  const isOpen = token !== null && references !== null && before !== dismissed;
  const options = isOpen ? completions(token, references) : [];

  const look = () => {
    const element = field.current;
    if (!element) return;
    const caret = element.selectionStart;
    const tail = element.value.slice(Math.max(0, caret - LONGEST_NAME), caret);
    // Not at the beginning, where prompts stand.
    const next = caret > LONGEST_NAME ? ` ${tail}` : tail;
    if (next !== before) setAt(0);
    setBefore(next);
  };
  const pick = (option: Completion) => {
    const element = field.current;
    if (!element || !token) return;
    const caret = element.selectionStart;
    const done = complete(element.value, caret, option);
    element.focus();
    replaceText(element, done.text, caret - token.words.length - 1, done.end);
    setBefore("");
  };
  const keys: Record<string, () => void> = {
    ArrowDown: () => setAt((at + 1) % options.length),
    ArrowUp: () => setAt((at - 1 + options.length) % options.length),
    Enter: () => options[at] && pick(options[at]),
    Tab: () => options[at] && pick(options[at]),
    Escape: () => setDismissed(before),
  };
  const press = (event: KeyboardEvent) => {
    const act = keys[event.key];
    if (options.length === 0 || !act || event.shiftKey) return false;
    event.preventDefault();
    event.stopPropagation();
    act();
    return true;
  };
  return { options, at, listId, look, press, pick };
}

function useReferences(store: Store, isWanted: boolean): References | null {
  const [references, setReferences] = useState<References | null>(null);
  const askedAt = useRef(Number.NEGATIVE_INFINITY);
  useEffect(() => {
    if (!isWanted || performance.now() - askedAt.current < FRESH_MS) return;
    askedAt.current = performance.now();
    // Without an answer the input is one without completion.
    store.command("references", {}).then(setReferences, () => {});
  }, [store, isWanted]);
  return references;
}

export function Completions({ options, at, listId, pick }: Completing) {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [at]);
  if (options.length === 0) return null;
  return (
    <div ref={list} class="rb-completions" id={listId} role="listbox" aria-label="Completions">
      {options.map((option, index) => (
        <button
          key={option.text}
          type="button"
          id={`${listId}-${index}`}
          class="rb-models-option"
          role="option"
          tabIndex={-1}
          aria-selected={index === at}
          onPointerDown={(event) => event.preventDefault()}
          onClick={() => pick(option)}
        >
          <span class="rb-completion-name">
            <Inert text={option.text} />
            {option.arguments.map((argument) => (
              <span class="rb-completion-argument" key={argument}>
                <Inert text={argument} />
              </span>
            ))}
          </span>
          {option.description !== "" && (
            <span class="rb-models-facts">
              <Inert text={option.description} />
            </span>
          )}
        </button>
      ))}
    </div>
  );
}
