import { useLayoutEffect, useRef } from "preact/hooks";
import { useUnsent } from "../state/unsent";
import { Button } from "../ui/Button";

interface DenyReasonProps {
  /** What is typed is kept under it; "" once it was sent. */
  id: string;
  canSend: boolean;
  onSend(reason: string): void;
  onCancel(): void;
}

/** Why not: the model is told, and can do better. */
export function DenyReason({ id, canSend, onSend, onCancel }: DenyReasonProps) {
  const [typed, setReason] = useUnsent(id);
  const reason = typed ?? "";
  const field = useRef<HTMLInputElement>(null);
  // Before the next key: what is typed on must not be lost.
  useLayoutEffect(() => field.current?.focus(), []);
  const cancel = () => {
    field.current?.closest<HTMLElement>('[data-kind="approval"]')?.focus();
    setReason(null);
    onCancel();
  };
  return (
    <form
      class="rb-approval-reason"
      onSubmit={(event) => {
        event.preventDefault();
        if (canSend) onSend(reason.trim());
      }}
    >
      <input
        ref={field}
        class="rb-input"
        dir="auto"
        aria-label="Reason, told to the model"
        placeholder="Why not? The model is told"
        maxLength={2000}
        autocomplete="off"
        value={reason}
        onInput={(event) => setReason(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          event.stopPropagation();
          cancel();
        }}
      />
      <Button
        label="Deny and say why"
        kind="danger"
        isDisabled={!canSend}
        onClick={() => onSend(reason.trim())}
      />
      <Button label="Back" kind="quiet" onClick={cancel} />
    </form>
  );
}
