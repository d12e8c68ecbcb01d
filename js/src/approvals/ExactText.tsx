// biome-ignore-all lint/a11y/noNoninteractiveTabindex: what scrolls must scroll by keyboard, too
// biome-ignore-all lint/a11y/useSemanticElements: a fieldset is for fields
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { ApprovalKind } from "../protocol";
import { Button } from "../ui/Button";
import { CopyButton } from "../ui/CopyButton";
import { count } from "../ui/format";
import { exact, type Highlight } from "./exact";

interface ExactTextProps {
  text: string;
  kind: ApprovalKind;
  label: string;
  highlight: Highlight | null;
  /** All of it was in sight. */
  onRead?(): void;
}

const NEAR_PX = 8;

/** A text as it will run, whole: long lines wrap, many lines scroll, and its length is said. */
export function ExactText({ text, kind, label, highlight, onRead }: ExactTextProps) {
  const box = useRef<HTMLPreElement>(null);
  const [isUnfolded, setUnfolded] = useState(false);
  const [isLong, setLong] = useState(false);
  useLayoutEffect(() => box.current?.replaceChildren(exact(text, kind, highlight)), [text, kind, highlight]);
  const look = () => {
    if (!box.current) return;
    const { scrollHeight, scrollTop, clientHeight } = box.current;
    // Nobody reads what another tab hides.
    if (clientHeight === 0) return;
    if (scrollHeight > clientHeight + NEAR_PX) setLong(true);
    if (scrollHeight - scrollTop - clientHeight < NEAR_PX) onRead?.();
  };
  useLayoutEffect(() => {
    if (!box.current) return;
    const observer = new ResizeObserver(look);
    observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  return (
    <div class="rb-exact">
      <pre
        ref={box}
        class={`rb-exact-text rb-exact-${kind} rb-markdown ${isUnfolded ? "rb-exact-whole" : isLong ? "rb-exact-long" : ""}`}
        dir="ltr"
        tabIndex={0}
        role="group"
        aria-label={label}
        onScroll={look}
      />
      <div class="rb-exact-foot">
        <span>{useMemo(() => size(text), [text])}</span>
        {isLong && !isUnfolded && (
          <Button label="Show all" kind="quiet" icon="down" onClick={() => setUnfolded(true)} />
        )}
        <CopyButton label="Copy" text={text} />
      </div>
    </div>
  );
}

/** "10,240 characters · 12 lines" */
function size(text: string): string {
  const characters = Array.from(text).length;
  const lines = text.replace(/\n$/, "").split("\n").length;
  return [
    `${count(characters)} ${characters === 1 ? "character" : "characters"}`,
    lines > 1 && `${count(lines)} lines`,
  ]
    .filter(Boolean)
    .join(" · ");
}
