/** Questions about the state that more than one component asks. */

import type { AgentState, MessageView } from "../protocol";
import type { State } from "./state";
import { isOver } from "./toolRuns";

const AT_REST: ReadonlySet<AgentState> = new Set<AgentState>(["idle", "error", "closed"]);

/** Whether a turn runs that Stop would end. */
export const isActive = (state: State): boolean => !AT_REST.has(state.agent.state);

/** Whether a question can be asked now that is to be answered at once. */
export const canAsk = (state: State): boolean => !isActive(state) && state.connection !== "gone";

const LABELS: Record<AgentState, string> = {
  idle: "Ready",
  processing: "Thinking",
  responding: "Answering",
  running_tools: "Running tools",
  waiting_approval: "Waiting for you",
  waiting_kernel: "Waiting for the kernel: a cell is running",
  waiting_retry: "Trying again soon",
  error: "Error",
  closed: "Closed",
};

export function stateLabel(state: State): string {
  if (state.connection === "gone") return "Disconnected";
  if (state.connection === "loading") return "Connecting";
  if (state.connection === "offline") return "Not connected";
  if (state.connection === "silent") return "The kernel does not answer";
  return LABELS[state.agent.state] ?? state.agent.state;
}

/** Whether a card says what happens now: one of a tool, or one that asks. */
export const isShownByCards = (state: State): boolean =>
  state.approvals.length > 0 || [...state.toolRuns.values()].some((runs) => !runs.every(isOver));

export const lastMessage = (state: State): MessageView | undefined =>
  state.messages[state.messages.length - 1];

/** The kernel's time in milliseconds, as well as this browser can tell. */
export const kernelNow = (state: State, now: number): number =>
  Number.isFinite(state.clockSkew) ? now - state.clockSkew : now;
