import { useState } from "preact/hooks";
import type { RuleView } from "../../protocol";
import { Button } from "../../ui/Button";
import { spelled } from "../../ui/hidden";
import { Inert } from "../../ui/Inert";
import type { Run } from "./ToolSections";

const DECISIONS: Record<RuleView["decision"], string> = { allow: "Allowed", ask: "Asks", deny: "Denied" };

/** What was answered for longer than once. */
export function RuleList({ rules, run }: { rules: readonly RuleView[]; run: Run }) {
  if (rules.length === 0) {
    return <p class="rb-field-help">None: Rustbot asks each time. A card's “Always allow” adds one.</p>;
  }
  return (
    <ul class="rb-rows">
      {rules.map((rule) => (
        <RuleRow key={rule.id} rule={rule} run={run} />
      ))}
    </ul>
  );
}

function RuleRow({ rule, run }: { rule: RuleView; run: Run }) {
  const [isBusy, setBusy] = useState(false);
  const revoke = async () => {
    setBusy(true);
    if (!(await run("remove_rule", { rule_id: rule.id }))) setBusy(false);
  };
  return (
    <li class="rb-row-item" data-rule={rule.id}>
      <div class="rb-row-text">
        <div class="rb-row-head">
          <span class={`rb-decision rb-decision-${rule.decision}`}>
            {DECISIONS[rule.decision] ?? rule.decision}
          </span>
          <code>
            <Inert text={rule.tool} />
          </code>
          <code class="rb-row-command">
            <Inert text={rule.pattern} />
          </code>
        </div>
        <div class="rb-field-help">
          {rule.scope === "conversation" ? "in this conversation" : "always"}
          {rule.workspace !== "" && (
            <>
              , in <Inert text={rule.workspace} />
            </>
          )}
        </div>
      </div>
      <Button
        label={`Revoke ${spelled(`${rule.tool} ${rule.pattern}`).trim()}`}
        isDisabled={isBusy}
        onClick={revoke}
      >
        Revoke
      </Button>
    </li>
  );
}
