// biome-ignore-all lint/a11y/noAriaHiddenOnFocusable: the letter is no control, only a hint
import type { ComponentChildren } from "preact";
import type { ApprovalScope, ApprovalView } from "../protocol";
import { spelled } from "../ui/hidden";
import { Inert } from "../ui/Inert";

interface AnswersProps {
  approval: ApprovalView;
  canAllow: boolean;
  canDeny: boolean;
  isSent: boolean;
  onAllow(scope: ApprovalScope): void;
  onDeny(): void;
  onDenyWithReason(): void;
}

/** The buttons, each with the key that presses it while the card has the focus. */
export function Answers({
  approval,
  canAllow,
  canDeny,
  isSent,
  onAllow,
  onDeny,
  onDenyWithReason,
}: AnswersProps) {
  const { scopes, pattern } = approval;
  return (
    <div class="rb-approval-answers">
      {scopes.includes("once") && (
        <AnswerButton
          label="Allow once"
          shortcut="A"
          kind="primary"
          isDisabled={!canAllow}
          onClick={() => onAllow("once")}
        />
      )}
      {scopes.includes("conversation") && (
        <AnswerButton
          label="Allow for this conversation"
          shortcut="C"
          isDisabled={!canAllow}
          onClick={() => onAllow("conversation")}
        />
      )}
      {scopes.includes("always") && (
        <AnswerButton
          label={`Always allow ${spelled(pattern)} here`}
          shortcut="W"
          isDisabled={!canAllow}
          onClick={() => onAllow("always")}
        >
          Always allow{" "}
          <code>
            <Inert text={pattern} />
          </code>{" "}
          here
        </AnswerButton>
      )}
      <span class="rb-approval-denials">
        <AnswerButton label="Deny" shortcut="D" kind="danger" isDisabled={!canDeny} onClick={onDeny} />
        <AnswerButton
          label="Deny with a reason…"
          shortcut="R"
          kind="quiet"
          // Opens at once: who presses R and types on must not press A.
          isDisabled={isSent}
          onClick={onDenyWithReason}
        />
      </span>
    </div>
  );
}

interface AnswerButtonProps {
  label: string;
  shortcut: string;
  kind?: "primary" | "plain" | "quiet" | "danger";
  isDisabled: boolean;
  onClick(): void;
  children?: ComponentChildren;
}

function AnswerButton({ label, shortcut, kind = "plain", isDisabled, onClick, children }: AnswerButtonProps) {
  return (
    <button
      type="button"
      class={`rb-button rb-button-${kind} rb-answer-button`}
      aria-label={label}
      aria-keyshortcuts={shortcut}
      disabled={isDisabled}
      onClick={onClick}
    >
      <span>{children ?? label}</span>
      <kbd aria-hidden="true">{shortcut}</kbd>
    </button>
  );
}
