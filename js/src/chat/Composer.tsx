/** The input and what stands around it. */

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ApproveModeControl } from "../approvals/ApproveMode";
import { isActive } from "../state/selectors";
import type { Store } from "../state/store";
import { Button } from "../ui/Button";
import { replaceText } from "../ui/edit";
import { useSelect } from "../ui/hooks";
import type { View } from "../view";
import type { ChatActions } from "./actions";
import { Completions, useCompleting } from "./Completions";
import { loadDraft, saveDraft } from "./draft";
import { ModelPicker } from "./ModelPicker";
import { Totals } from "./Totals";

const SAVED_AFTER_MS = 300;
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
  const [draft, setDraft] = useDraft(conversationId);
  const field = useRef<HTMLTextAreaElement>(null);
  const sentAt = useRef(0);
  const completing = useCompleting(store, field, `${view.id}-completions`);
  useGrowth(field, draft);

  const empty = () => {
    if (field.current) replaceText(field.current, "");
    setDraft("");
  };
  const send = async () => {
    const text = draft;
    if (text.trim() === "" || isGone) return;
    empty();
    const isTaken = await actions.send(text);
    // What was typed meanwhile comes after what came back.
    if (!isTaken) setDraft((typed) => (typed === "" ? text : `${text}\n${typed}`));
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
          if (completing.press(event)) return;
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

type Change = string | ((before: string) => string);

function useDraft(conversationId: string): [string, (change: Change) => void] {
  const [draft, setDraft] = useState("");
  const loadedFor = useRef("");
  useEffect(() => {
    if (conversationId === "" || loadedFor.current === conversationId) return;
    const isFirst = loadedFor.current === "";
    loadedFor.current = conversationId;
    // A new chat takes along what is being typed.
    if (isFirst) setDraft((typed) => typed || loadDraft(conversationId));
  }, [conversationId]);
  useEffect(() => {
    if (conversationId === "") return;
    const timer = setTimeout(() => saveDraft(conversationId, draft), SAVED_AFTER_MS);
    const saveNow = () => saveDraft(conversationId, draft);
    window.addEventListener("pagehide", saveNow);
    return () => {
      clearTimeout(timer);
      window.removeEventListener("pagehide", saveNow);
    };
  }, [conversationId, draft]);
  return [draft, useCallback((change: Change) => setDraft(change), [])];
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
