/** Shows where a link leads before it is opened: its text may say something else. */

import { useEffect, useRef } from "preact/hooks";
import { Button } from "../ui/Button";
import { CopyButton } from "../ui/CopyButton";
import type { View } from "../view";

export function LinkPrompt({ view }: { view: View }) {
  const asked = view.linkToOpen.value;
  const card = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!asked || !card.current) return;
    place(card.current, asked.anchor);
    card.current.querySelector("button")?.focus();
  }, [asked]);
  if (!asked) return null;
  const close = () => {
    view.linkToOpen.value = null;
    asked.anchor.focus();
  };
  return (
    <div
      ref={card}
      class="rb-link-prompt"
      role="dialog"
      aria-label="Open this link?"
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        close();
      }}
    >
      <div>Open this link?</div>
      <bdi class="rb-link-address">{asked.url}</bdi>
      <div class="rb-link-buttons">
        <Button
          label="Open"
          kind="primary"
          onClick={() => {
            window.open(asked.url, "_blank", "noopener,noreferrer");
            close();
          }}
        />
        <CopyButton label="Copy link" text={asked.url} />
        <Button label="Cancel" onClick={close} />
      </div>
    </div>
  );
}

/** Below the link, or above it where there is no room. */
function place(card: HTMLElement, anchor: HTMLElement): void {
  const room = card.offsetParent?.getBoundingClientRect();
  if (!room) return;
  const link = anchor.getBoundingClientRect();
  const left = Math.min(Math.max(8, link.left - room.left), Math.max(8, room.width - card.offsetWidth - 8));
  const below = link.bottom - room.top + 6;
  const isRoomBelow = below + card.offsetHeight < room.height - 8;
  const top = isRoomBelow ? below : link.top - room.top - card.offsetHeight - 6;
  card.style.left = `${left}px`;
  card.style.top = `${Math.max(8, Math.min(top, room.height - card.offsetHeight - 8))}px`;
}
