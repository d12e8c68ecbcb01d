/** What the agent is at while there is nothing to read yet. */

import type { StateView } from "../protocol";
import { kernelNow } from "../state/selectors";
import type { State } from "../state/state";
import { useClock } from "../ui/hooks";

/** Before this a number would only flicker. */
const COUNTED_AFTER_S = 2;

interface ActivityProps {
  state: State;
}

export function Activity({ state }: ActivityProps) {
  const now = kernelNow(state, useClock(true, 500));
  const { agent } = state;
  const elapsed = Math.max(0, Math.floor((now - agent.since) / 1000));
  return (
    <div class="rb-activity">
      <span class="rb-spinner" aria-hidden="true" />
      <span>{describe(agent, elapsed, now)}</span>
    </div>
  );
}

function describe(agent: StateView, elapsed: number, now: number): string {
  if (agent.retry) {
    const left = Math.max(0, Math.ceil((agent.retry.until - now) / 1000));
    const { attempt, attempts, reason } = agent.retry;
    return `${reason || "The request failed."} Trying again in ${left} s (try ${attempt} of ${attempts}).`;
  }
  const what = agent.waiting_for_provider ? "Waiting for the provider" : WORDS[agent.state];
  return elapsed >= COUNTED_AFTER_S ? `${what} · ${elapsed} s` : `${what}…`;
}

const WORDS: Record<StateView["state"], string> = {
  idle: "Starting",
  processing: "Thinking",
  responding: "Answering",
  running_tools: "Running tools",
  waiting_approval: "Waiting for you",
  waiting_kernel: "Waiting for the kernel: a cell is running",
  waiting_retry: "Waiting before the next try",
  error: "Stopped by an error",
  closed: "Closed",
};
