/** A button that opens a small panel below itself; Escape, a click elsewhere or leaving by Tab closes it. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Icon, type IconName } from "../ui/Icon";

interface MenuProps {
  id: string;
  label: string;
  icon?: IconName;
  isActive?: boolean;
  /** Opens towards the start, for a button at the end of a row. */
  isAtEnd?: boolean;
  text: string;
  children: (close: () => void) => ComponentChildren;
}

export function Menu({ id, label, icon, isActive = false, isAtEnd = false, text, children }: MenuProps) {
  const root = useRef<HTMLDivElement>(null);
  const [isOpen, setIsOpen] = useState(false);
  const close = () => {
    setIsOpen(false);
    root.current?.querySelector("button")?.focus();
  };
  useEffect(() => {
    if (!isOpen) return;
    const onPointer = (event: Event) => {
      if (!root.current?.contains(event.target as Node)) setIsOpen(false);
    };
    document.addEventListener("pointerdown", onPointer);
    return () => document.removeEventListener("pointerdown", onPointer);
  }, [isOpen]);

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the focus and the keys are those of the controls inside
    <div
      class="rb-menu"
      ref={root}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !isOpen) return;
        event.stopPropagation();
        close();
      }}
      onFocusOut={(event) => {
        const next = event.relatedTarget;
        if (next instanceof Node && !root.current?.contains(next)) setIsOpen(false);
      }}
    >
      <button
        type="button"
        class="rb-button rb-menu-button"
        aria-label={label}
        aria-expanded={isOpen}
        aria-controls={id}
        data-active={isActive}
        onClick={() => setIsOpen(!isOpen)}
      >
        {icon && <Icon name={icon} />}
        <span class={icon ? "rb-wide-only" : ""}>{text}</span>
        <Icon name="chevron" />
      </button>
      {isOpen && (
        <div class={`rb-menu-panel ${isAtEnd ? "rb-menu-panel-end" : ""}`} id={id}>
          {children(close)}
        </div>
      )}
    </div>
  );
}
