/** How tools, their states and their sources are called. */

import type { Risk, RunState, ToolRunView } from "../protocol";
import { duration } from "../ui/format";
import type { IconName } from "../ui/Icon";

const RISK_ICONS: Record<Risk, IconName> = {
  read: "eye",
  write: "edit",
  execute: "terminal",
  network: "globe",
};

const RISK_WORDS: Record<Risk, string> = {
  read: "reads",
  write: "changes files",
  execute: "runs code",
  network: "uses the network",
};

export const riskIcon = (risk: Risk): IconName => RISK_ICONS[risk] ?? "tool";
export const riskWords = (risk: Risk): string => RISK_WORDS[risk] ?? risk;

export const runIcon = ({ source, risk }: ToolRunView): IconName =>
  source.startsWith("mcp:") ? "plug" : riskIcon(risk);

const STATES: Record<RunState, { label: string; icon: IconName; tone: string }> = {
  waiting: { label: "Waiting for its turn", icon: "clock", tone: "quiet" },
  waiting_approval: { label: "Waiting for you", icon: "shield", tone: "warning" },
  waiting_kernel: { label: "Waiting for the kernel", icon: "clock", tone: "warning" },
  running: { label: "Running", icon: "play", tone: "busy" },
  complete: { label: "Done", icon: "check", tone: "good" },
  error: { label: "Failed", icon: "error", tone: "error" },
  refused: { label: "Refused", icon: "blocked", tone: "quiet" },
  timeout: { label: "Timed out", icon: "clock", tone: "error" },
  interrupted: { label: "Stopped", icon: "stop", tone: "quiet" },
};

export const stateLook = (state: RunState) => STATES[state] ?? STATES.waiting;

/** "built-in" → "Built in", "mcp:time" → "MCP server time" */
export function sourceLabel(source: string): string {
  if (source === "built-in") return "Built in";
  if (source === "user") return "Yours";
  const [kind, name] = [source.slice(0, source.indexOf(":")), source.slice(source.indexOf(":") + 1)];
  if (kind === "mcp") return `MCP server ${name}`;
  return kind === "plugin" ? `Plugin ${name}` : source;
}

/** 20 ms, 1.2 s, 2 min 5 s */
export const spent = (seconds: number): string =>
  seconds < 1 ? `${Math.round(seconds * 1000)} ms` : duration(seconds);

const GIST_CHARACTERS = 120;

/** What a call is about in a few words: the first argument that says something. */
export function gist(argumentsJson: string): string {
  try {
    const values = Object.values(JSON.parse(argumentsJson) as object);
    const value = values.find((it) => (typeof it === "string" && it.trim() !== "") || typeof it === "number");
    return value === undefined ? "" : String(value).trim().replace(/\s+/g, " ").slice(0, GIST_CHARACTERS);
  } catch {
    // Cut arguments are no JSON.
    return "";
  }
}
