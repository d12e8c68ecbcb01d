/** Messages that wait to be said, above the input. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { QueuedView } from "../protocol";
import type { Store } from "../state/store";
import { Button } from "../ui/Button";

interface QueueProps {
  store: Store;
  items: readonly QueuedView[];
  complain(text: string): void;
}

export function Queue({ store, items, complain }: QueueProps) {
  if (items.length === 0) return null;
  return (
    <ul class="rb-queue" aria-label="Waiting messages">
      {items.map((item) => (
        <QueuedItem key={item.id} store={store} item={item} complain={complain} />
      ))}
    </ul>
  );
}

function QueuedItem({
  store,
  item,
  complain,
}: {
  store: Store;
  item: QueuedView;
  complain(text: string): void;
}) {
  const [draft, setDraft] = useState<string | null>(null);
  const field = useRef<HTMLInputElement>(null);
  const isEditing = draft !== null;
  useEffect(() => {
    if (isEditing) field.current?.focus();
  }, [isEditing]);
  const report = (error: Error) => complain(error.message);
  const save = () => {
    if (draft?.trim()) store.command("queue_edit", { item_id: item.id, text: draft }).catch(report);
    setDraft(null);
  };
  if (draft !== null) {
    return (
      <li class="rb-queued">
        <input
          class="rb-input"
          dir="auto"
          aria-label="Edit the waiting message"
          value={draft}
          ref={field}
          onInput={(event) => setDraft(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter") save();
            if (event.key !== "Escape") return;
            event.stopPropagation();
            setDraft(null);
          }}
        />
        <Button label="Save" onClick={save} />
      </li>
    );
  }
  return (
    <li class="rb-queued">
      <span class="rb-queued-label">Next</span>
      <span class="rb-queued-text" dir="auto" title={item.text.slice(0, 2000)}>
        {item.text.slice(0, 300)}
      </span>
      <Button
        label="Send now"
        icon="send"
        isIconOnly
        kind="quiet"
        hint="Send now: stops the answer that runs"
        onClick={() => store.command("queue_send_now", { item_id: item.id }).catch(report)}
      />
      <Button label="Edit" icon="edit" isIconOnly kind="quiet" onClick={() => setDraft(item.text)} />
      <Button
        label="Remove"
        icon="close"
        isIconOnly
        kind="quiet"
        onClick={() => store.command("queue_remove", { item_id: item.id }).catch(report)}
      />
    </li>
  );
}
