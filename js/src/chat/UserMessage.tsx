import { useEffect, useRef, useState } from "preact/hooks";
import { useUnsent } from "../state/unsent";
import { Button } from "../ui/Button";
import { CopyButton } from "../ui/CopyButton";
import { count } from "../ui/format";
import { split } from "../ui/parts";
import type { MessageProps } from "./Message";

/** A longer message is folded. */
const SHOWN_CHARACTERS = 1500;
const SHOWN_LINES = 18;

const SOURCES: Record<string, string> = { magic: "from a cell", api: "from Python" };

export function UserMessage({ message, isBusy, actions }: MessageProps) {
  const [draft, setDraft] = useUnsent(`edit:${message.id}`);
  const [isEditing, setEditing] = useState(draft !== null);
  if (isEditing) {
    return (
      <Editor
        draft={draft ?? message.text}
        canSend={!isBusy}
        onInput={setDraft}
        onClose={() => {
          setEditing(false);
          if (draft === message.text) setDraft(null);
        }}
        onCancel={() => {
          setEditing(false);
          setDraft(null);
        }}
        onSend={async (text) => {
          setEditing(false);
          if (await actions.edit(message.id, text)) setDraft(null);
          else setEditing(true);
        }}
      />
    );
  }
  return (
    <>
      <div class="rb-bubble" dir="auto">
        <Text text={message.text} />
      </div>
      <footer class="rb-message-foot">
        {SOURCES[message.source] && <span class="rb-message-meta">{SOURCES[message.source]}</span>}
        {draft !== null && <span class="rb-message-meta">edited, not sent</span>}
        <span class="rb-message-actions">
          <CopyButton label="Copy message" text={message.text} />
          <Button
            label="Edit and resend"
            icon="edit"
            isIconOnly
            kind="quiet"
            isDisabled={isBusy}
            onClick={() => setEditing(true)}
          />
        </span>
      </footer>
    </>
  );
}

function Text({ text }: { text: string }) {
  const [isOpen, setOpen] = useState(false);
  const folded = fold(text);
  if (folded.length === text.length) return <div class="rb-plain">{text}</div>;
  const parts = isOpen ? split(text) : [`${folded}…`];
  return (
    <>
      {parts.map((part, index) => (
        <div class="rb-plain" key={index}>
          {part}
        </div>
      ))}
      <Button
        label={isOpen ? "Show less" : `Show all ${count(text.length)} characters`}
        kind="quiet"
        class="rb-unfold"
        onClick={() => setOpen(!isOpen)}
      />
    </>
  );
}

function fold(text: string): string {
  const lines = text.slice(0, SHOWN_CHARACTERS + 500).split("\n", SHOWN_LINES + 5);
  if (text.length <= SHOWN_CHARACTERS + 500 && lines.length < SHOWN_LINES + 5) return text;
  return lines.slice(0, SHOWN_LINES).join("\n").slice(0, SHOWN_CHARACTERS);
}

interface EditorProps {
  draft: string;
  canSend: boolean;
  onInput(text: string): void;
  onSend(text: string): void;
  /** Out of sight; what was typed is kept. */
  onClose(): void;
  onCancel(): void;
}

function Editor({ draft, canSend, onInput, onSend, onClose, onCancel }: EditorProps) {
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    field.current?.focus();
    field.current?.setSelectionRange(draft.length, draft.length);
  }, []);
  const isReady = canSend && draft.trim() !== "";
  const send = () => isReady && onSend(draft);
  return (
    <div class="rb-edit">
      <textarea
        ref={field}
        class="rb-prompt"
        dir="auto"
        aria-label="Edit your message"
        value={draft}
        onInput={(event) => onInput(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && !event.shiftKey) {
            event.preventDefault();
            send();
          }
          if (event.key === "Escape") {
            event.stopPropagation();
            onClose();
          }
        }}
      />
      <div class="rb-edit-buttons">
        <span class="rb-message-meta">What came after it is replaced.</span>
        <Button label="Cancel" onClick={onCancel} />
        <Button label="Resend" kind="primary" isDisabled={!isReady} onClick={send} />
      </div>
    </div>
  );
}
