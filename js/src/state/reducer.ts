/** (state, action) → state, without effects. An op that repeats what we have changes nothing. */

import type { Envelope, EventRow, MessageView, Op, SnapshotOp, ToolRunView } from "../protocol";
import type { Ending } from "../transport";
import { INITIAL_STATE, type PendingCommand, type State } from "./state";
import { addOutput, dropRuns, endRuns, groupRuns, putRun } from "./toolRuns";

/** Older ones are dropped, and can be asked for again. */
export const MOST_EVENTS = 50_000;

export type Action =
  | { type: "envelope"; envelope: Envelope; view: string; now: number }
  | { type: "gone"; ending: Ending }
  | { type: "link"; isUp: boolean }
  | { type: "silent" }
  | { type: "sent"; command: PendingCommand }
  | { type: "sync_asked" }
  | { type: "earlier_messages"; messages: MessageView[]; toolRuns: ToolRunView[]; hasEarlier: boolean }
  | { type: "event_rows"; rows: EventRow[]; hasEarlier: boolean };

export function reduce(state: State, action: Action): State {
  switch (action.type) {
    case "envelope":
      return receive(state, action.envelope, action.view, action.now);
    case "gone":
      return lose(state, action.ending);
    case "link":
      return link(state, action.isUp);
    case "silent":
      return state.connection === "live" ? { ...state, connection: "silent" } : state;
    case "sent":
      return { ...state, pending: [...state.pending, action.command] };
    case "sync_asked":
      return { ...state, needsSync: false };
    case "earlier_messages": {
      const known = new Set(state.messages.map((message) => message.id));
      const earlier = action.messages.filter((message) => !known.has(message.id));
      return {
        ...state,
        messages: [...earlier, ...state.messages],
        // What is here already is newer than a page that was asked for a while ago.
        toolRuns: new Map([...groupRuns(action.toolRuns), ...state.toolRuns]),
        hasEarlier: action.hasEarlier,
      };
    }
    case "event_rows":
      return addEventPage(state, action.rows, action.hasEarlier);
  }
}

const AFTER_A_SIGN = {
  loading: "loading",
  gone: "loading",
  live: "live",
  offline: "live",
  silent: "live",
} as const satisfies Record<State["connection"], State["connection"]>;

/** With the kernel its turn has ended; what had come of the answer is kept. */
function lose(state: State, ending: Ending): State {
  // What came first is the cause, what follows its consequence.
  if (state.connection === "gone") return state;
  const messages = state.messages.map((message) =>
    message.status === "streaming" ? { ...message, status: "interrupted" as const } : message,
  );
  return {
    ...state,
    connection: "gone",
    ending,
    pending: [],
    messages,
    toolRuns: endRuns(state.toolRuns),
    approvals: [],
    agent: { ...INITIAL_STATE.agent, state: "closed" },
  };
}

function link(state: State, isUp: boolean): State {
  if (state.connection === "gone") return state;
  if (!isUp) return { ...state, connection: "offline" };
  // Something may have been said meanwhile.
  return state.connection === "offline" ? { ...state, connection: "loading", needsSync: true } : state;
}

function receive(state: State, envelope: Envelope, view: string, now: number): State {
  const isNewLife = state.epoch !== "" && envelope.epoch !== state.epoch;
  if (!isNewLife && envelope.seq <= state.seq) return state;
  const hasGap = isNewLife || (state.seq > 0 && envelope.seq !== state.seq + 1);
  let next: State = {
    ...state,
    epoch: envelope.epoch,
    seq: envelope.seq,
    // A message is proof of life, whatever was announced before.
    connection: AFTER_A_SIGN[state.connection],
    needsSync: state.needsSync || hasGap || state.connection === "gone",
    // Another kernel counts its events from 1 again.
    events: isNewLife ? [] : state.events,
  };
  for (const op of envelope.ops) next = apply(next, op, view, now);
  return next;
}

function apply(state: State, op: Op, view: string, now: number): State {
  switch (op.op) {
    case "snapshot":
      return op.view === view ? fromSnapshot(state, op) : state;
    case "ack":
      return op.view === view
        ? { ...state, pending: state.pending.filter((command) => command.id !== op.id) }
        : state;
    case "message":
      return { ...state, messages: put(state.messages, op.message) };
    case "message_patch":
      return change(state, op.id, (message) => ({ ...message, ...op.fields }));
    case "text":
    case "reasoning":
      return addText(state, op);
    case "remove": {
      const gone = new Set(op.ids);
      const messages = state.messages.filter((message) => !gone.has(message.id));
      return { ...state, messages, toolRuns: dropRuns(state.toolRuns, gone) };
    }
    case "state":
      // An op is sent when the state begins, so the smallest difference seen is the clocks'.
      return { ...state, agent: op.state, clockSkew: Math.min(state.clockSkew, now - op.state.since) };
    case "queue":
      return { ...state, queue: op.items };
    case "model":
      return { ...state, model: op.model };
    case "totals":
      return { ...state, totals: op.totals };
    case "notices":
      return { ...state, notices: op.notices };
    case "events":
      return addEvents(state, op.rows);
    case "settings":
      return { ...state, settings: op.settings };
    case "tool_run":
      return { ...state, toolRuns: putRun(state.toolRuns, op.run) };
    case "tool_output": {
      const toolRuns = addOutput(state.toolRuns, op);
      // As with text: before the first snapshot nothing is known.
      if (!toolRuns) return state.connection === "live" ? { ...state, needsSync: true } : state;
      return { ...state, toolRuns };
    }
    case "approvals":
      return { ...state, approvals: op.items };
    case "approve_mode":
      return { ...state, approveMode: op.mode };
    case "tools":
      return { ...state, tools: op.tools };
    case "reset":
      return {
        ...state,
        conversation: op.conversation,
        messages: [],
        toolRuns: new Map(),
        hasEarlier: false,
        queue: [],
      };
  }
}

function fromSnapshot(state: State, op: SnapshotOp): State {
  return {
    ...state,
    connection: "live",
    needsSync: false,
    version: op.version,
    conversation: op.conversation,
    messages: op.messages,
    hasEarlier: op.has_earlier,
    toolRuns: groupRuns(op.tool_runs),
    approvals: op.approvals,
    approveMode: op.approve_mode,
    agent: op.state,
    queue: op.queue,
    model: op.model,
    totals: op.totals,
    notices: op.notices,
    ipykernel: op.ipykernel,
    hasSubshells: op.has_subshells,
  };
}

function put(messages: readonly MessageView[], message: MessageView): MessageView[] {
  const at = messages.findLastIndex((other) => other.id === message.id);
  return at < 0 ? [...messages, message] : messages.with(at, message);
}

function change(state: State, id: string, edit: (message: MessageView) => MessageView): State {
  const at = state.messages.findLastIndex((message) => message.id === id);
  const message = state.messages[at];
  return message ? { ...state, messages: state.messages.with(at, edit(message)) } : state;
}

function addText(
  state: State,
  op: { op: "text" | "reasoning"; id: string; offset: number; text: string },
): State {
  const at = state.messages.findLastIndex((message) => message.id === op.id);
  const message = state.messages[at];
  // Before the first snapshot nothing is known, and it will bring this text too.
  if (!message) return state.connection === "live" ? { ...state, needsSync: true } : state;
  const length = op.op === "text" ? message.text_length : message.reasoning_length;
  if (op.offset > length) return { ...state, needsSync: true };
  const points = Array.from(op.text);
  const known = length - op.offset;
  if (known >= points.length) return state;
  const piece = known === 0 ? op.text : points.slice(known).join("");
  const total = op.offset + points.length;
  const longer: MessageView =
    op.op === "text"
      ? { ...message, text: message.text + piece, text_length: total }
      : { ...message, reasoning: message.reasoning + piece, reasoning_length: total };
  return { ...state, messages: state.messages.with(at, longer) };
}

function addEvents(state: State, rows: readonly EventRow[]): State {
  const events = mergeRows(state.events, rows);
  const isTooMany = events.length > MOST_EVENTS;
  return {
    ...state,
    events: isTooMany ? events.slice(-MOST_EVENTS) : events,
    hasEarlierEvents: state.hasEarlierEvents || isTooMany,
  };
}

function addEventPage(state: State, rows: readonly EventRow[], hasEarlier: boolean): State {
  const [first, known] = [rows[0], state.events[0]];
  if (!first || !known) return addEvents({ ...state, hasEarlierEvents: hasEarlier }, rows);
  // Nobody listened for a while: rows are missing between the known ones and these, so the page begins anew.
  const lastKnown = state.events[state.events.length - 1]?.seq ?? 0;
  if (first.seq > lastKnown + 1)
    return addEvents({ ...state, events: [], hasEarlierEvents: hasEarlier }, rows);
  return addEvents(first.seq <= known.seq ? { ...state, hasEarlierEvents: hasEarlier } : state, rows);
}

function mergeRows(rows: readonly EventRow[], more: readonly EventRow[]): readonly EventRow[] {
  if (more.length === 0) return rows;
  const last = rows[rows.length - 1]?.seq ?? Number.NEGATIVE_INFINITY;
  const isAscending = more.every((row, index) => row.seq > (more[index - 1]?.seq ?? last));
  if (isAscending) return [...rows, ...more];
  const bySeq = new Map([...rows, ...more].map((row) => [row.seq, row]));
  return [...bySeq.values()].sort((a, b) => a.seq - b.seq);
}
