/** Messages that wait to be said, above the input. */

import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { QueuedView } from "../protocol";
import type { Store } from "../state/store";
import { saveUnsent, useUnsent } from "../state/unsent";
import { Button } from "../ui/Button";
import { useSelect } from "../ui/hooks";
import type { View } from "../view";

interface QueueProps {
  store: Store;
  view: View;
  items: readonly QueuedView[];
  complain(text: string): void;
}

export function Queue({ store, view, items, complain }: QueueProps) {
  const isGone = useSelect(store, (state) => state.connection === "gone");
  if (items.length === 0 || isGone) return null;
  return (
    <ul class="rb-queue" aria-label="Waiting messages">
      {items.map((item) => (
        <QueuedItem key={item.id} store={store} view={view} item={item} complain={complain} />
      ))}
    </ul>
  );
}

interface QueuedItemProps {
  store: Store;
  view: View;
  item: QueuedView;
  complain(text: string): void;
}

function QueuedItem({ store, view, item, complain }: QueuedItemProps) {
  const [draft, setDraft] = useUnsent(`queue:${item.id}`);
  const field = useRef<HTMLInputElement>(null);
  const isEditing = draft !== null;
  useEffect(() => {
    if (isEditing) field.current?.focus();
  }, [isEditing]);
  const report = (error: Error) => complain(error.message);
  const edited = useRef(draft);
  edited.current = draft === item.text ? null : draft;
  useLayoutEffect(
    () => () => {
      // It was asked, or is gone, while somebody was changing it: the change goes on in the input.
      const isGone = !store.state.peek().queue.some(({ id }) => id === item.id);
      if (!isGone || !edited.current) return;
      saveUnsent(`queue:${item.id}`, null);
      view.bringBack(edited.current);
    },
    [],
  );
  const save = () => {
    if (!draft?.trim()) return setDraft(null);
    const text = draft;
    setDraft(null);
    store.command("queue_edit", { item_id: item.id, text }).catch((error) => {
      report(error);
      view.bringBack(text);
    });
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
