// biome-ignore-all lint/a11y/noNoninteractiveTabindex: the card takes the keys that answer it
/** One question of the kernel: what shall happen, exactly, and the answers there are. */

import type { TargetedKeyboardEvent } from "preact";
import { useId, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { ApprovalScope, ApprovalView } from "../protocol";
import type { Store } from "../state/store";
import { loadUnsent, saveUnsent } from "../state/unsent";
import { riskIcon, riskWords } from "../tools/words";
import { count } from "../ui/format";
import { Icon } from "../ui/Icon";
import { Inert } from "../ui/Inert";
import { Answers } from "./Answers";
import { DenyReason } from "./DenyReason";
import { ExactText } from "./ExactText";
import { type Highlight, warnings } from "./exact";

interface ApprovalCardProps {
  store: Store;
  approval: ApprovalView;
  isArmed: boolean;
  highlight: Highlight | null;
  /** Told what the kernel refused when the card is no longer there to say it. */
  complain(text: string): void;
}

const KINDS: Record<string, string> = {
  arguments: "arguments",
  code: "code",
  command: "command",
  diff: "change",
  address: "address",
  question: "question",
};

export function ApprovalCard({ store, approval, isArmed, highlight, complain }: ApprovalCardProps) {
  const id = useId();
  const card = useRef<HTMLDivElement>(null);
  const { isSent, refusal, answer } = useAnswer(store, approval, card, complain);
  const [isRead, setRead] = useState(false);
  const reasonKey = `deny:${approval.id}`;
  const [isGivingReason, setGivingReason] = useState(() => loadUnsent(reasonKey) !== null);
  const allow = (scope: ApprovalScope) => answer("approve", { scope });
  const deny = (reason: string) => {
    saveUnsent(reasonKey, null);
    answer("deny", { reason });
  };
  const { text, tool, pattern } = approval;
  const warned = useMemo(
    () => warnings(text, approval.arguments, tool, pattern),
    [text, approval.arguments, tool, pattern],
  );
  const canAnswer = isArmed && !isSent;

  const press = (event: TargetedKeyboardEvent<HTMLElement>) => {
    const isTyping = event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement;
    const isPlain = !(event.ctrlKey || event.metaKey || event.altKey || event.repeat);
    if (isTyping || !isPlain) return;
    const buttons = card.current?.querySelectorAll<HTMLButtonElement>("button[aria-keyshortcuts]") ?? [];
    const key = event.key.toUpperCase();
    const button = [...buttons].find((it) => it.getAttribute("aria-keyshortcuts") === key);
    if (!button) return;
    event.preventDefault();
    button.click();
  };

  return (
    <div
      ref={card}
      class={`rb-approval rb-approval-${approval.risk}`}
      data-kind="approval"
      data-tool={approval.tool}
      role="alertdialog"
      aria-labelledby={`${id}-title`}
      aria-describedby={`${id}-source`}
      aria-busy={isSent}
      tabIndex={0}
      onKeyDown={press}
    >
      <header class="rb-approval-head">
        <Icon name={approval.kind === "question" ? "question" : riskIcon(approval.risk)} />
        <span class="rb-approval-title" id={`${id}-title`}>
          <Inert text={approval.label || approval.tool} />
        </span>
        {approval.tool !== "" && approval.tool !== approval.label && (
          <code class="rb-approval-tool">
            <Inert text={approval.tool} />
          </code>
        )}
        {approval.kind !== "question" && <span class="rb-approval-risk">{riskWords(approval.risk)}</span>}
      </header>
      <div class="rb-approval-source" id={`${id}-source`}>
        {approval.source !== "" && (
          <>
            <Icon name="warning" />
            <span>
              Asked <Inert text={approval.source} />
            </span>
          </>
        )}
      </div>
      <ExactText
        text={approval.text}
        kind={approval.kind}
        label={`The ${KINDS[approval.kind] ?? "text"}, exactly as it will be used`}
        highlight={highlight}
        onRead={() => setRead(true)}
      />
      {approval.note !== "" && (
        <p class="rb-approval-note">
          <Inert text={approval.note} />
        </p>
      )}
      {warned.map((warning) => (
        <p class="rb-approval-warning" key={warning}>
          <Icon name="warning" />
          <bdi>{warning}</bdi>
        </p>
      ))}
      {approval.kind !== "arguments" && approval.arguments !== "" && (
        <details class="rb-approval-arguments">
          <summary>All arguments · {count(Array.from(approval.arguments).length)} characters</summary>
          <ExactText text={approval.arguments} kind="arguments" label="All arguments" highlight={highlight} />
        </details>
      )}
      {isGivingReason ? (
        <DenyReason
          id={isSent ? "" : reasonKey}
          canSend={canAnswer}
          onSend={deny}
          onCancel={() => setGivingReason(false)}
        />
      ) : (
        <Answers
          approval={approval}
          canAllow={canAnswer && isRead}
          canDeny={canAnswer}
          isSent={isSent}
          onAllow={allow}
          onDeny={() => deny("")}
          onDenyWithReason={() => setGivingReason(true)}
        />
      )}
      <div class="rb-approval-outcome" role="status">
        {isSent && "Sent…"}
        {!isSent && !isRead && !isGivingReason && "Scroll to the end, or show all of it, to allow this."}
        {refusal !== "" && <span class="rb-field-error">{refusal}</span>}
      </div>
    </div>
  );
}

type Answer =
  | { name: "approve"; fields: { scope: ApprovalScope } }
  | { name: "deny"; fields: { reason: string } };

/** One answer at a time; what the kernel refuses can be answered again. */
function useAnswer(
  store: Store,
  approval: ApprovalView,
  card: { current: HTMLElement | null },
  complain: (text: string) => void,
) {
  const [isSent, setSent] = useState(false);
  const [refusal, setRefusal] = useState("");
  useLateRefusal(refusal, complain);
  // Two clicks can come before anything is drawn anew.
  const isUnderWay = useRef(false);
  const answer = async <N extends Answer["name"]>(
    name: N,
    fields: Extract<Answer, { name: N }>["fields"],
  ) => {
    if (isUnderWay.current) return;
    isUnderWay.current = true;
    setSent(true);
    setRefusal("");
    // A button that is disabled now would lose the focus, and the keys would go to the notebook.
    if (card.current?.contains(document.activeElement)) card.current.focus();
    try {
      const { id, digest } = approval;
      await store.command(name, { approval_id: id, digest, ...fields } as never);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      if (!card.current) return complain(text);
      setRefusal(text);
      setSent(false);
      isUnderWay.current = false;
    }
  };
  return { isSent, refusal, answer };
}

/** A card that goes leaves what it was refused behind: a late answer is not lost without a word. */
function useLateRefusal(refusal: string, complain: (text: string) => void): void {
  const latest = useRef({ refusal, complain });
  latest.current = { refusal, complain };
  useLayoutEffect(
    () => () => {
      if (latest.current.refusal !== "") latest.current.complain(latest.current.refusal);
    },
    [],
  );
}
