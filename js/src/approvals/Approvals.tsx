/** What waits for the user: a card each. */

import { useEffect, useState } from "preact/hooks";
import type { ApprovalView } from "../protocol";
import type { Store } from "../state/store";
import { ApprovalCard } from "./ApprovalCard";
import type { Highlight } from "./exact";
import "./approvals.css";

interface ApprovalsProps {
  store: Store;
  items: readonly ApprovalView[];
  /** Colours for code, once they are there. */
  highlight: Highlight | null;
  complain(text: string): void;
}

/** A click that was meant for something else must not answer a card that has just come under the pointer. */
const ARMED_AFTER_MS = 500;

export function Approvals({ store, items, highlight, complain }: ApprovalsProps) {
  const shown = items.map(({ id, digest }) => `${id} ${digest}`);
  const isArmed = useArmed(shown.join("\n"));
  return (
    <>
      {items.map((item, index) => (
        <ApprovalCard
          // Something else to be allowed is another card, whatever its id.
          key={shown[index]}
          store={store}
          approval={item}
          isArmed={isArmed}
          highlight={highlight}
          complain={complain}
        />
      ))}
    </>
  );
}

/** Whether the same cards have been in their places for a moment. */
function useArmed(cards: string): boolean {
  const [armed, setArmed] = useState("");
  useEffect(() => {
    if (cards === "") return;
    const timer = setTimeout(() => setArmed(cards), ARMED_AFTER_MS);
    return () => clearTimeout(timer);
  }, [cards]);
  return armed === cards;
}
