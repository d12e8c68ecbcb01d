/** What tools may do without being asked: the shield at the input. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { ApproveMode } from "../protocol";
import type { Store } from "../state/store";
import { Button } from "../ui/Button";
import { useCloseOutside, useSelect } from "../ui/hooks";
import { Icon } from "../ui/Icon";

const MODES: readonly { mode: ApproveMode; label: string; help: string }[] = [
  { mode: "ask", label: "Ask", help: "Reads by itself; asks before it changes, runs or sends anything." },
  { mode: "read-only", label: "Read only", help: "Reads; everything else is refused." },
  { mode: "allow", label: "Allow", help: "Runs tools without asking, in this conversation." },
];

export const UNASKED = "Runs tools without asking";

interface ApproveModeProps {
  store: Store;
  complain(text: string): void;
}

export function ApproveModeControl({ store, complain }: ApproveModeProps) {
  const mode = useSelect(store, (state) => state.approveMode);
  const [isOpen, setOpen] = useState(false);
  const button = useRef<HTMLDivElement>(null);
  const label = MODES.find((it) => it.mode === mode)?.label ?? mode;
  const close = () => {
    setOpen(false);
    button.current?.querySelector("button")?.focus();
  };
  const set = (next: ApproveMode) => {
    close();
    const fields = { mode: next, confirmed: next === "allow" };
    store.command("set_approve_mode", fields).catch((error: Error) => complain(error.message));
  };
  return (
    <div class="rb-mode" ref={button}>
      <button
        type="button"
        class={`rb-mode-button rb-mode-${mode}`}
        aria-label={`Tools: ${label}`}
        aria-haspopup="dialog"
        aria-expanded={isOpen}
        title={MODES.find((it) => it.mode === mode)?.help}
        onClick={() => setOpen(!isOpen)}
      >
        <Icon name="shield" />
        <span class="rb-mode-label">{mode === "allow" ? UNASKED : label}</span>
      </button>
      {isOpen && <Card mode={mode} onPick={set} onClose={close} onLeave={() => setOpen(false)} />}
    </div>
  );
}

interface CardProps {
  mode: ApproveMode;
  onPick(mode: ApproveMode): void;
  onClose(): void;
  onLeave(): void;
}

function Card({ mode, onPick, onClose, onLeave }: CardProps) {
  const [isConfirming, setConfirming] = useState(false);
  const card = useRef<HTMLDivElement>(null);
  useCloseOutside(card, onLeave);
  useEffect(() => {
    card.current?.querySelector<HTMLElement>('[aria-checked="true"], .rb-mode-no')?.focus();
  }, [isConfirming]);
  const pick = (next: ApproveMode) => {
    if (next === mode) onClose();
    else if (next === "allow") setConfirming(true);
    else onPick(next);
  };
  return (
    <div
      ref={card}
      class="rb-mode-card"
      role="dialog"
      aria-label="What tools may do without being asked"
      onKeyDown={(event) => {
        if (event.key === "Escape") {
          event.stopPropagation();
          onClose();
        }
        const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
        if (!step) return;
        event.preventDefault();
        moveFocus(card.current, step);
      }}
    >
      {isConfirming ? (
        <Confirmation onYes={() => onPick("allow")} onNo={onClose} />
      ) : (
        <div role="radiogroup" aria-label="Tools">
          {MODES.map((it) => (
            // biome-ignore lint/a11y/useSemanticElements: picking one closes the card, which a radio does not
            <button
              key={it.mode}
              type="button"
              class="rb-mode-option"
              role="radio"
              aria-checked={it.mode === mode}
              onClick={() => pick(it.mode)}
            >
              <span class="rb-mode-name">
                {it.label}
                {it.mode === mode && <Icon name="check" />}
              </span>
              <span class="rb-mode-help">{it.help}</span>
            </button>
          ))}
        </div>
      )}
    </div>
  );
}

function Confirmation({ onYes, onNo }: { onYes(): void; onNo(): void }) {
  return (
    <div class="rb-mode-confirm">
      <strong>
        <Icon name="warning" /> Run tools without asking?
      </strong>
      <p>
        The model then runs code and commands, changes files and sends data on its own. What it reads in a
        file, a page or a data frame can make it do so. Rules that deny still hold, and it ends with this
        conversation.
      </p>
      <div class="rb-mode-buttons">
        <Button label="Run without asking" kind="danger" onClick={onYes} />
        <Button label="Keep asking" class="rb-mode-no" onClick={onNo} />
      </div>
    </div>
  );
}

function moveFocus(card: HTMLElement | null, step: number): void {
  const options = [...(card?.querySelectorAll<HTMLElement>('[role="radio"]') ?? [])];
  const at = options.indexOf(document.activeElement as HTMLElement);
  options[(at + step + options.length) % options.length]?.focus();
}

/** The red mark beside the state while nothing is asked. */
export function UnaskedMark({ store }: { store: Store }) {
  const mode = useSelect(store, (state) => state.approveMode);
  if (mode !== "allow") return null;
  return (
    <span class="rb-unasked" role="status" title={`${UNASKED}, until this conversation ends`}>
      <Icon name="shield" />
      <span>{UNASKED}</span>
    </span>
  );
}
