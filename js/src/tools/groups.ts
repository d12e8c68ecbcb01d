/** Which messages show which tool calls: calls that follow each other without a word between them belong together. */

import type { MessageView, ToolRunView } from "../protocol";
import type { ToolRuns } from "../state/state";

export const NO_RUNS: readonly ToolRunView[] = [];

export interface Row {
  message: MessageView;
  /** Of this message and of the wordless ones behind it. */
  runs: readonly ToolRunView[];
  /** How many tools this message's turn used, when it is the answer that came of them. */
  toolsUsed: number;
}

/** Remembers what it made, so that a row whose calls did not change keeps its array. */
export class ToolGroups {
  private made = new Map<
    string,
    { parts: readonly (readonly ToolRunView[])[]; runs: readonly ToolRunView[] }
  >();

  rows(messages: readonly MessageView[], toolRuns: ToolRuns): Row[] {
    const rows: { message: MessageView; parts: (readonly ToolRunView[])[] }[] = [];
    const used = new Map<string, number>();
    for (const message of messages) {
      const runs = toolRuns.get(message.id);
      const last = rows[rows.length - 1];
      if (runs && message.turn_id) used.set(message.turn_id, (used.get(message.turn_id) ?? 0) + runs.length);
      if (runs && last && last.parts.length > 0 && isWordless(message)) last.parts.push(runs);
      else rows.push({ message, parts: runs ? [runs] : [] });
    }
    const before = this.made;
    this.made = new Map();
    return rows.map(({ message, parts }) => ({
      message,
      runs: this.joined(message.id, parts, before),
      toolsUsed:
        parts.length === 0 && message.role === "assistant" ? (used.get(message.turn_id ?? "") ?? 0) : 0,
    }));
  }

  private joined(id: string, parts: readonly (readonly ToolRunView[])[], before: typeof this.made) {
    if (parts.length < 2) return parts[0] ?? NO_RUNS;
    const known = before.get(id);
    const isSame =
      known?.parts.length === parts.length && parts.every((part, at) => part === known.parts[at]);
    const group = known && isSame ? known : { parts, runs: parts.flat() };
    this.made.set(id, group);
    return group.runs;
  }
}

const isWordless = (message: MessageView): boolean =>
  message.text === "" &&
  message.reasoning === "" &&
  message.error === null &&
  (message.status === "complete" || message.status === "streaming");
