import { useState } from "preact/hooks";
import type { ToolRunView } from "../protocol";
import { isOver } from "../state/toolRuns";
import { Button } from "../ui/Button";
import { duration } from "../ui/format";
import { spelled } from "../ui/hidden";
import { useClock } from "../ui/hooks";
import { Icon } from "../ui/Icon";
import { Inert } from "../ui/Inert";
import { memo } from "../ui/memo";
import { Output } from "./Output";
import type { ToolActions } from "./ToolCards";
import { ToolDetails } from "./ToolDetails";
import { gist, runIcon, spent, stateLook } from "./words";

interface ToolCardProps {
  run: ToolRunView;
  isOpen: boolean;
  onToggle(id: string, isOpen: boolean): void;
  actions: ToolActions;
}

/** One tool call: what, with what, how far, and on request all of it. */
export const ToolCard = memo(({ run, isOpen, onToggle, actions }: ToolCardProps) => {
  const look = stateLook(run.state);
  const about = gist(run.arguments);
  return (
    <section
      class={`rb-tool rb-tool-${look.tone}`}
      data-kind="tool"
      data-tool={run.tool}
      data-state={run.state}
      aria-label={`${spelled(run.label || run.tool)}: ${look.label}`}
    >
      <details open={isOpen} onToggle={(event) => onToggle(run.id, event.currentTarget.open)}>
        <summary class="rb-tool-head">
          <StateMark run={run} />
          <span class="rb-tool-label">
            <Icon name={runIcon(run)} />
            <Inert text={run.label || run.tool} />
          </span>
          {run.label !== "" && run.label !== run.tool && (
            <code class="rb-tool-name">
              <Inert text={run.tool} />
            </code>
          )}
          <span class="rb-tool-gist">{about !== "" && <Inert text={about} />}</span>
          <span class="rb-tool-state">
            {ALLOWED.test(run.approval) && <span class="rb-tool-approval">{spelled(run.approval)}</span>}
            <span>{look.label}</span>
            <Elapsed run={run} actions={actions} />
          </span>
          <Icon name="chevron" />
        </summary>
        {isOpen && <ToolDetails run={run} actions={actions} />}
      </details>
      {!isOver(run) && <CancelButton run={run} actions={actions} />}
      {!isOpen && run.state === "running" && run.output !== "" && (
        <Output text={run.output} length={run.output_length} />
      )}
      {!isOpen && NOT_DONE.has(run.state) && run.result !== "" && (
        <p class="rb-tool-why">
          <Inert text={inOneLine(run.result)} />
        </p>
      )}
    </section>
  );
});

/** Why it ran, where that was somebody's decision. */
const ALLOWED = /^allowed/i;
const NOT_DONE: ReadonlySet<string> = new Set(["error", "refused", "timeout"]);

/** Of a traceback what was raised, of other text the first line. */
function inOneLine(text: string): string {
  const lines = text.trim().split("\n");
  const header = lines.findLastIndex((line) => line.startsWith("Traceback (most recent call last)"));
  // What belongs to the stack is indented.
  const raised = header < 0 ? undefined : lines.slice(header + 1).find((line) => /^\S/.test(line));
  return (raised ?? lines[0] ?? "").slice(0, 300);
}

function StateMark({ run }: { run: ToolRunView }) {
  if (run.state === "running") return <span class="rb-spinner" aria-hidden="true" />;
  return (
    <span class="rb-tool-mark">
      <Icon name={stateLook(run.state).icon} />
    </span>
  );
}

function Elapsed({ run, actions }: { run: ToolRunView; actions: ToolActions }) {
  const isRunning = run.state === "running" && run.started_at !== null;
  useClock(isRunning, 250);
  const seconds =
    isRunning && run.started_at !== null
      ? Math.max(0, (actions.kernelNow() - run.started_at) / 1000)
      : run.duration_s;
  if (seconds === null) return null;
  // While it counts, milliseconds would only flicker.
  return <span class="rb-tool-time">{isRunning ? duration(seconds) : spent(seconds)}</span>;
}

function CancelButton({ run, actions }: { run: ToolRunView; actions: ToolActions }) {
  const [isAsked, setAsked] = useState(false);
  const cancel = async () => {
    setAsked(true);
    if (!(await actions.cancelTool(run.id))) setAsked(false);
  };
  return (
    <Button
      label="Cancel"
      kind="quiet"
      class="rb-tool-cancel"
      hint="Stop this tool; the answer goes on"
      isDisabled={isAsked}
      onClick={cancel}
    />
  );
}
