/** Below a cell that asks the model: the tools of its turn, and what they wait for. Nothing to see while there are none. */

import { useEffect, useMemo, useState } from "preact/hooks";
import { Approvals } from "./approvals/Approvals";
import { makeActions } from "./chat/actions";
import { makeMarkdownContext } from "./chat/markdownContext";
import type { ApprovalView, ToolRunView } from "./protocol";
import type { State, ToolRuns } from "./state/state";
import { findRun } from "./state/toolRuns";
import type { TabProps } from "./tabs";
import { ToolCards } from "./tools/ToolCards";
import { Banner } from "./ui/Banner";
import { useSelect } from "./ui/hooks";

export function CellCard({ store, view, turn }: TabProps & { turn: string }) {
  const toolRuns = useSelect(store, (state) => state.toolRuns);
  const approvals = useSelect(store, (state) => state.approvals);
  const agent = useSelect(store, (state) => state.agent);
  const [complaint, setComplaint] = useState("");
  const context = useMemo(() => makeMarkdownContext(store, view), [store, view]);
  const actions = useMemo(() => makeActions(store, view, setComplaint), [store, view]);
  const runs = useMemo(() => runsOf(toolRuns, turn), [toolRuns, turn]);
  const items = approvals.filter((it) => isOf(it, turn, toolRuns, agent));
  // Colours for code are worth their size only when there is something to read.
  const isAsked = items.length > 0;
  useEffect(() => {
    if (isAsked) context.loadMarkdown();
  }, [isAsked, context]);
  const isEmpty = runs.length === 0 && !isAsked && complaint === "";
  return (
    <section
      class="rb-root rb-cell"
      data-state={agent.state}
      aria-label="Rustbot's tools"
      tabIndex={-1}
      hidden={isEmpty}
    >
      {runs.length > 0 && <ToolCards runs={runs} actions={actions} />}
      <Approvals
        store={store}
        items={items}
        highlight={context.markdown.value?.highlight ?? null}
        complain={setComplaint}
      />
      {complaint !== "" && (
        <Banner level="error" onDismiss={() => setComplaint("")}>
          {complaint}
        </Banner>
      )}
    </section>
  );
}

const runsOf = (toolRuns: ToolRuns, turn: string): ToolRunView[] =>
  [...toolRuns.values()].flat().filter((run) => run.turn_id === turn);

/** A question that no tool call asks is one of the turn that runs. */
const isOf = (approval: ApprovalView, turn: string, toolRuns: ToolRuns, agent: State["agent"]): boolean =>
  (approval.run_id === "" ? agent.turn_id : findRun(toolRuns, approval.run_id)?.turn_id) === turn;
