// biome-ignore-all lint/a11y/noNoninteractiveTabindex: what scrolls must scroll by keyboard, too
import { useLayoutEffect, useRef } from "preact/hooks";
import { Inert } from "../ui/Inert";
import { terminalText } from "./terminal";

/** More would make each new piece slow to draw. */
const SHOWN_CHARACTERS = 20_000;
const NEAR_PX = 24;

interface OutputProps {
  text: string;
  /** Code points of all output, `text` is its end. */
  length: number;
}

/** What a tool prints, its end in sight until the reader scrolls up. */
export function Output({ text, length }: OutputProps) {
  const box = useRef<HTMLPreElement>(null);
  const isFollowing = useRef(true);
  const shown = text.slice(-SHOWN_CHARACTERS);
  const isCut = shown.length < text.length || text.length < length;
  useLayoutEffect(() => {
    if (box.current && isFollowing.current) box.current.scrollTop = box.current.scrollHeight;
  }, [text]);
  return (
    <pre
      ref={box}
      class="rb-tool-text rb-tool-output"
      tabIndex={0}
      role="log"
      aria-live="off"
      aria-label="Output"
      onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
        isFollowing.current = scrollHeight - scrollTop - clientHeight < NEAR_PX;
      }}
    >
      {isCut && <span class="rb-tool-cut">… the beginning is left out{"\n"}</span>}
      <Inert text={terminalText(shown)} />
    </pre>
  );
}
