/** The input and what stands around it. */

import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { ApproveModeControl } from "../approvals/ApproveMode";
import { isActive } from "../state/selectors";
import type { Store } from "../state/store";
import { loadUnsent, useSaved } from "../state/unsent";
import { Button } from "../ui/Button";
import { replaceText } from "../ui/edit";
import { useSelect } from "../ui/hooks";
import type { View } from "../view";
import type { ChatActions } from "./actions";
import { Completions, useCompleting } from "./Completions";
import { ModelPicker } from "./ModelPicker";
import { useRecall } from "./recall";
import { Totals } from "./Totals";

/** The second click of a double click on Send would meet Stop. */
const STOP_NOT_BEFORE_MS = 500;

interface ComposerProps {
  store: Store;
  view: View;
  actions: ChatActions;
  complain(text: string): void;
}

export function Composer({ store, view, actions, complain }: ComposerProps) {
  const conversationId = useSelect(store, (state) => state.conversation.id);
  const isBusy = useSelect(store, isActive);
  const isGone = useSelect(store, (state) => state.connection === "gone");
  const field = useRef<HTMLTextAreaElement>(null);
  const key = conversationId && `draft:${view.place || conversationId}`;
  const draftOf = useDraft(key, view, store, field);
  useEffect(() => {
    // What waited there waits nowhere now.
    if (isGone) view.bringBack(...store.state.peek().queue.map(({ text }) => text));
  }, [isGone, store, view]);
  const { draft, setDraft } = draftOf;
  const sentAt = useRef(0);
  const completing = useCompleting(store, field, `${view.id}-completions`);
  const recall = useRecall(store, field);
  useGrowth(field, draft);

  const send = () => {
    if (draft.trim() !== "" && !isGone) draftOf.send(actions);
  };
  const sendByClick = () => {
    sentAt.current = performance.now();
    field.current?.focus();
    send();
  };
  const stop = () => {
    if (performance.now() - sentAt.current > STOP_NOT_BEFORE_MS) actions.stop();
  };
  const canSend = draft.trim() !== "" && !isGone;
  return (
    <form
      class="rb-composer"
      onMouseDown={(event) => {
        if (!isBeside(event.target)) return;
        event.preventDefault();
        field.current?.focus();
      }}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <Completions {...completing} />
      <textarea
        ref={field}
        class="rb-prompt"
        rows={1}
        dir="auto"
        placeholder={isBusy ? "Write on: it is sent next" : "Ask anything"}
        aria-label="Message to Rustbot"
        aria-autocomplete="list"
        aria-controls={completing.options.length > 0 ? completing.listId : undefined}
        aria-activedescendant={
          completing.options.length > 0 ? `${completing.listId}-${completing.at}` : undefined
        }
        value={draft}
        onInput={(event) => {
          setDraft(event.currentTarget.value);
          completing.look();
        }}
        onKeyUp={completing.look}
        onClick={completing.look}
        onKeyDown={(event) => {
          if (completing.press(event) || recall(event)) return;
          if (event.key !== "Enter" || event.shiftKey) return;
          event.preventDefault();
          if (!event.repeat) send();
        }}
      />
      <div class="rb-composer-bar">
        <ModelPicker store={store} view={view} actions={actions} />
        <ApproveModeControl store={store} complain={complain} />
        <Totals store={store} />
        {isBusy && canSend && (
          <Button label="Queue message" icon="plus" isIconOnly kind="quiet" onClick={send} />
        )}
        {isBusy ? (
          <Button
            label="Stop"
            icon="stop"
            isIconOnly
            kind="primary"
            class="rb-send rb-stop"
            hint="Stop (Esc)"
            onClick={stop}
          />
        ) : (
          <Button
            label="Send"
            icon="send"
            isIconOnly
            kind="primary"
            class="rb-send"
            hint="Send (Enter)"
            isDisabled={!canSend}
            onClick={sendByClick}
          />
        )}
      </div>
    </form>
  );
}

/** Around the field, and not on something to press: it looks like a part of the field. */
const isBeside = (target: EventTarget | null): boolean =>
  target instanceof Element && !target.closest("textarea, button, input, [role=dialog], [role=listbox]");

/** What is in the field, kept under `key` together with what is on its way to the kernel. */
function useDraft(key: string, view: View, store: Store, field: { current: HTMLTextAreaElement | null }) {
  const [draft, setDraft] = useState("");
  const [sending, setSending] = useState<readonly string[]>([]);
  const put = useCallback((text: string) => {
    if (field.current) replaceText(field.current, text);
    setDraft(text);
  }, []);
  /** Puts texts that were typed before in front of what is typed now. */
  const bringBack = useCallback(
    (...texts: string[]) =>
      put([...texts, field.current?.value ?? ""].filter((text) => text !== "").join("\n")),
    [put],
  );
  /** What was kept before is saved over only once it was read. */
  const [loadedFor, setLoadedFor] = useState("");
  useEffect(() => {
    if (key === "" || loadedFor === key) return;
    const isFirst = loadedFor === "";
    const kept = loadUnsent(key);
    // A new chat takes along what is being typed.
    if (isFirst && kept && !isSent(store, kept)) bringBack(kept);
    setLoadedFor(key);
  }, [key, loadedFor, store, bringBack]);
  useLayoutEffect(() => {
    view.bringBack = bringBack;
  }, [view, bringBack]);
  useSaved(loadedFor, [...sending, draft].filter((text) => text !== "").join("\n") || null);
  const send = async (actions: ChatActions) => {
    const text = draft;
    put("");
    setSending((before) => [...before, text]);
    const isTaken = await actions.send(text);
    setSending((before) => before.toSpliced(before.indexOf(text), 1));
    if (!isTaken) bringBack(text);
  };
  return { draft, setDraft, send };
}

/** True if the kernel, or the way there, has what was on its way when the view or the page went. */
function isSent(store: Store, text: string): boolean {
  const { pending, queue, messages } = store.state.peek();
  const asked = messages.filter(({ role }) => role === "user").slice(-3);
  return [...pending, ...queue, ...asked].some((it) => it.text === text);
}

const GROWS_BY_ITSELF = typeof CSS !== "undefined" && !!CSS.supports?.("field-sizing", "content");
/** Measuring a longer text would make typing slow; by then the field is as high as it gets. */
const MEASURED_CHARACTERS = 5000;

/** Lets the field grow with its text where the browser does not. */
function useGrowth(field: { current: HTMLTextAreaElement | null }, text: string): void {
  useEffect(() => {
    const element = field.current;
    if (GROWS_BY_ITSELF || !element) return;
    element.style.height = "auto";
    element.style.height = text.length > MEASURED_CHARACTERS ? "200px" : `${element.scrollHeight}px`;
  }, [field, text]);
}
