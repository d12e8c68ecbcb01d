import { useEffect, useRef, useState } from "preact/hooks";
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
  const [isEditing, setEditing] = useState(false);
  if (isEditing) {
    return (
      <Editor
        text={message.text}
        onCancel={() => setEditing(false)}
        onSend={(text) => {
          setEditing(false);
          actions.edit(message.id, text);
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
  text: string;
  onSend(text: string): void;
  onCancel(): void;
}

function Editor({ text, onSend, onCancel }: EditorProps) {
  const [draft, setDraft] = useState(text);
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    field.current?.focus();
    field.current?.setSelectionRange(text.length, text.length);
  }, [text.length]);
  const send = () => draft.trim() && onSend(draft);
  return (
    <div class="rb-edit">
      <textarea
        ref={field}
        class="rb-prompt"
        dir="auto"
        aria-label="Edit your message"
        value={draft}
        onInput={(event) => setDraft(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && !event.shiftKey) {
            event.preventDefault();
            send();
          }
          if (event.key === "Escape") {
            event.stopPropagation();
            onCancel();
          }
        }}
      />
      <div class="rb-edit-buttons">
        <span class="rb-message-meta">What came after it is replaced.</span>
        <Button label="Cancel" onClick={onCancel} />
        <Button label="Resend" kind="primary" isDisabled={draft.trim() === ""} onClick={send} />
      </div>
    </div>
  );
}
