/** Tool calls by the message that made them; each function gives a new map, or the same when nothing changed. */

import type { RunState, ToolRunView } from "../protocol";
import type { ToolRuns } from "./state";

/** What a tool printed is kept to this length; what matters is its end. */
export const MOST_OUTPUT = 100_000;

const UNFINISHED: ReadonlySet<RunState> = new Set<RunState>([
  "waiting",
  "waiting_approval",
  "waiting_kernel",
  "running",
]);

export const isOver = (run: ToolRunView): boolean => !UNFINISHED.has(run.state);

export function groupRuns(runs: readonly ToolRunView[]): ToolRuns {
  const groups = new Map<string, ToolRunView[]>();
  for (const run of runs) {
    const group = groups.get(run.message_id);
    if (group) group.push(run);
    else groups.set(run.message_id, [run]);
  }
  return groups;
}

/** With `run` in the place of the one with its id, or behind the others of its message. */
export function putRun(runs: ToolRuns, run: ToolRunView): ToolRuns {
  const group = runs.get(run.message_id) ?? [];
  const at = group.findIndex((other) => other.id === run.id);
  return new Map(runs).set(run.message_id, at < 0 ? [...group, run] : group.with(at, run));
}

/** With more output; null when a piece before it is missing. */
export function addOutput(
  runs: ToolRuns,
  { id, offset, text }: { id: string; offset: number; text: string },
): ToolRuns | null {
  const run = findRun(runs, id);
  if (!run || offset > run.output_length) return null;
  const points = Array.from(text);
  const known = run.output_length - offset;
  if (known >= points.length) return runs;
  const output = run.output + points.slice(known).join("");
  return putRun(runs, {
    ...run,
    output: output.slice(-MOST_OUTPUT),
    output_length: offset + points.length,
  });
}

export function dropRuns(runs: ToolRuns, messageIds: ReadonlySet<string>): ToolRuns {
  return new Map([...runs].filter(([messageId]) => !messageIds.has(messageId)));
}

/** With the kernel its tools have ended. */
export function endRuns(runs: ToolRuns): ToolRuns {
  const end = (run: ToolRunView) => (isOver(run) ? run : { ...run, state: "interrupted" as const });
  return new Map([...runs].map(([messageId, group]) => [messageId, group.map(end)]));
}

export function findRun(runs: ToolRuns, id: string): ToolRunView | undefined {
  // The newest message is the one that runs tools.
  for (const group of [...runs.values()].reverse()) {
    const run = group.find((it) => it.id === id);
    if (run) return run;
  }
}
