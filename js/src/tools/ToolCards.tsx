/** The tool calls of an answer: a card each, folded into one line once several are over. */

import { useState } from "preact/hooks";
import type { Plotly } from "../libraries/loader";
import type { ToolRunView } from "../protocol";
import { isOver } from "../state/toolRuns";
import { spelled } from "../ui/hidden";
import { Icon } from "../ui/Icon";
import { Figures } from "./Figures";
import { Pictures } from "./Pictures";
import { ToolCard } from "./ToolCard";
import { spent } from "./words";
import "./tools.css";

export interface ToolActions {
  /** Resolves to false when the kernel refused. */
  cancelTool(runId: string): Promise<boolean>;
  /** Arguments and result, uncut; null when the kernel refused. */
  wholeRun(runId: string): Promise<{ arguments: string; result: string } | null>;
  /** What draws figures; from the kernel, once per page. */
  loadPlotly(): Promise<Plotly>;
  /** The kernel's time in milliseconds. */
  kernelNow(): number;
}

interface ToolCardsProps {
  runs: readonly ToolRunView[];
  actions: ToolActions;
}

const FOLDED_FROM = 2;

export function ToolCards({ runs, actions }: ToolCardsProps) {
  const [openIds, setOpenIds] = useState<ReadonlySet<string>>(new Set());
  const [isFoldOpen, setFoldOpen] = useState<boolean | null>(null);
  const firstOpen = runs.findIndex((run) => !isOver(run));
  const over = firstOpen < 0 ? runs : runs.slice(0, firstOpen);
  const folded = over.length >= FOLDED_FROM ? over : [];
  const toggle = (id: string, isOpen: boolean) =>
    setOpenIds((before) => new Set(isOpen ? [...before, id] : [...before].filter((it) => it !== id)));
  const card = (run: ToolRunView) => (
    <ToolCard key={run.id} run={run} isOpen={openIds.has(run.id)} onToggle={toggle} actions={actions} />
  );
  // What somebody reads must not disappear under the fold.
  const isShown = isFoldOpen ?? openIds.size > 0;
  return (
    <div class="rb-tools">
      {folded.length > 0 && (
        <details
          class="rb-tools-fold"
          data-kind="tools"
          open={isShown}
          onToggle={(event) => setFoldOpen(event.currentTarget.open)}
        >
          <summary>
            <Icon name="tool" />
            <span class="rb-tools-count">{summary(folded)}</span>
            <span class="rb-tools-labels">{labels(folded)}</span>
            <Icon name="chevron" />
          </summary>
          {isShown && folded.map(card)}
        </details>
      )}
      {runs.slice(folded.length).map(card)}
      <Pictures runs={runs} />
      <Figures runs={runs} loadPlotly={actions.loadPlotly} />
    </div>
  );
}

/** "3 tools used · 1 failed · 1.2 s" */
function summary(runs: readonly ToolRunView[]): string {
  const failed = runs.filter(({ state }) => state === "error" || state === "timeout").length;
  const seconds = runs.reduce((sum, { duration_s }) => sum + (duration_s ?? 0), 0);
  return [`${runs.length} tools used`, failed > 0 && `${failed} failed`, spent(seconds)]
    .filter(Boolean)
    .join(" · ");
}

const labels = (runs: readonly ToolRunView[]): string =>
  [...new Set(runs.map(({ label, tool }) => spelled(label || tool).slice(0, 60)))].slice(0, 6).join(", ");
