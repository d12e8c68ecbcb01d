/** How each kind of event is shown. */

import type { Priority } from "../protocol";
import type { IconName } from "../ui/Icon";

export type KindTone =
  | "user"
  | "request"
  | "stream"
  | "state"
  | "tool"
  | "good"
  | "warning"
  | "error"
  | "quiet";

interface Look {
  icon: IconName;
  tone: KindTone;
}

const LOOKS: Record<string, Look> = {
  user_message_received: { icon: "chat", tone: "user" },
  interrupt_requested: { icon: "stop", tone: "warning" },
  shutdown_requested: { icon: "close", tone: "warning" },
  queue_changed: { icon: "events", tone: "user" },
  conversation_changed: { icon: "chat", tone: "user" },
  settings_changed: { icon: "settings", tone: "user" },
  turn_started: { icon: "play", tone: "good" },
  request_sent: { icon: "send", tone: "request" },
  provider_waiting: { icon: "info", tone: "request" },
  first_token: { icon: "down", tone: "request" },
  text_streamed: { icon: "edit", tone: "stream" },
  reasoning_streamed: { icon: "thought", tone: "stream" },
  retry_scheduled: { icon: "retry", tone: "warning" },
  turn_finished: { icon: "check", tone: "good" },
  turn_interrupted: { icon: "stop", tone: "warning" },
  turn_failed: { icon: "error", tone: "error" },
  cost_settled: { icon: "check", tone: "request" },
  state_changed: { icon: "replace", tone: "state" },
  metrics_sampled: { icon: "info", tone: "quiet" },
  error_occurred: { icon: "error", tone: "error" },
};

const FAMILIES: readonly [string, Look][] = [
  ["tool_", { icon: "play", tone: "tool" }],
  ["approval_", { icon: "key", tone: "tool" }],
  ["mcp_", { icon: "link", tone: "tool" }],
  ["budget_", { icon: "warning", tone: "warning" }],
];

const UNKNOWN: Look = { icon: "events", tone: "quiet" };

export function lookOf(kind: string): Look {
  // `Object.hasOwn`: the kind comes from outside and may be called "constructor".
  const own = Object.hasOwn(LOOKS, kind) ? LOOKS[kind] : undefined;
  return own ?? FAMILIES.find(([prefix]) => kind.startsWith(prefix))?.[1] ?? UNKNOWN;
}

/** text_streamed → Text streamed */
export function kindLabel(kind: string): string {
  const words = kind.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export const PRIORITIES: readonly Priority[] = ["CRITICAL", "HIGH", "NORMAL", "LOW"];

export const priorityLabel = (priority: string): string =>
  priority.charAt(0) + priority.slice(1).toLowerCase();

/** Ids are long and differ at their ends. */
export const shortTurn = (turn: string): string => (turn.length > 8 ? `…${turn.slice(-6)}` : turn);

const two = (value: number): string => String(value).padStart(2, "0");

/** 14:03:07.125, local time */
export function preciseTime(milliseconds: number): string {
  const time = new Date(milliseconds);
  if (Number.isNaN(time.getTime())) return "";
  const parts = [time.getHours(), time.getMinutes(), time.getSeconds()].map(two);
  return `${parts.join(":")}.${String(time.getMilliseconds()).padStart(3, "0")}`;
}

/** 412 ms, 1.24 s, 2 min 5 s */
export function span(seconds: number | null): string {
  if (seconds === null) return "";
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 100) return `${seconds.toFixed(2)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
}
