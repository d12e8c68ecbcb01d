/** A kernel that is not one: answers the widget's commands with scripted envelopes, for looking at the widget. */

import type {
  ApprovalView,
  CommandMessage,
  MessageView,
  Op,
  SnapshotOp,
  StateView,
  ToolRunView,
} from "../src/protocol";
import { INITIAL_STATE } from "../src/state/state";

type Handler = (content: unknown, buffers?: DataView[]) => void;

export class FakeModel {
  private readonly handlers = new Map<string, Set<Handler>>();
  private seq = 0;
  readonly sent: CommandMessage[] = [];
  isDead = false;
  answer: (command: CommandMessage, model: FakeModel) => void = () => {};

  constructor(private readonly traits: Record<string, unknown> = {}) {}

  get = (name: string): unknown => this.traits[name];
  set = (): void => {};
  save_changes = (): void => {};

  on = (name: string, handler: Handler): void => {
    const handlers = this.handlers.get(name) ?? new Set();
    this.handlers.set(name, handlers.add(handler));
  };

  off = (name: string, handler: Handler): void => {
    this.handlers.get(name)?.delete(handler);
  };

  send = (message: CommandMessage): void => {
    if (this.isDead) throw new Error("Cannot send");
    this.sent.push(message);
    queueMicrotask(() => this.answer(message, this));
  };

  trigger(name: string, content?: unknown, buffers?: DataView[]): void {
    for (const handler of this.handlers.get(name) ?? []) handler(content, buffers);
  }

  /** Loses an envelope on the way. */
  skip(): void {
    this.seq += 1;
  }

  /** One flush to the page. */
  emit(...ops: Op[]): void {
    this.seq += 1;
    this.trigger("msg:custom", { rustbot: 1, epoch: "dev", seq: this.seq, ops });
  }

  ack(command: CommandMessage, result: Record<string, unknown> = {}): void {
    this.emit({ op: "ack", view: command.view, id: command.id, ok: true, result });
  }
}

export const state = (name: StateView["state"], more: Partial<StateView> = {}): StateView => ({
  state: name,
  turn_id: null,
  since: Date.now(),
  waiting_for_provider: false,
  retry: null,
  ...more,
});

export const snapshot = (view: string, more: Partial<SnapshotOp> = {}): SnapshotOp => ({
  op: "snapshot",
  view,
  version: "0.1.0",
  conversation: { id: "c1", title: "" },
  messages: [],
  has_earlier: false,
  tool_runs: [],
  approvals: [],
  approve_mode: "ask",
  state: state("idle"),
  queue: [],
  model: { id: "rustbot/demo", host: "", is_demo: true, is_local: true },
  totals: INITIAL_STATE.totals,
  notices: [],
  ipykernel: "7.4.0",
  has_subshells: true,
  ...more,
});

let made = 0;

export function message(more: Partial<MessageView>): MessageView {
  made += 1;
  const text = more.text ?? "";
  const reasoning = more.reasoning ?? "";
  return {
    id: `m${made}`,
    role: "assistant",
    status: "complete",
    text_length: Array.from(text).length,
    reasoning_length: Array.from(reasoning).length,
    created_at: Date.now(),
    turn_id: "t1",
    source: "chat",
    model: null,
    model_is_demo: false,
    usage: null,
    ttft_s: null,
    duration_s: null,
    finish_reason: "stop",
    citations: [],
    error: null,
    ...more,
    text,
    reasoning,
  };
}

export function toolRun(more: Partial<ToolRunView> = {}): ToolRunView {
  made += 1;
  const output = more.output ?? "";
  return {
    id: `r${made}`,
    message_id: "m",
    turn_id: "t1",
    tool: "run_code",
    label: "Run code",
    source: "built-in",
    risk: "execute",
    arguments: '{\n  "code": "1 + 1"\n}',
    state: "complete",
    started_at: Date.now(),
    duration_s: 0.4,
    output_length: Array.from(output).length,
    result: "",
    result_is_cut: false,
    images: [],
    figures: [],
    approval: "",
    ...more,
    output,
  };
}

export function approval(more: Partial<ApprovalView> = {}): ApprovalView {
  made += 1;
  return {
    id: `a${made}`,
    digest: `d${made}`,
    run_id: "",
    tool: "run_shell",
    label: "Run a command",
    risk: "execute",
    kind: "command",
    text: "git status --short",
    note: "",
    arguments: '{\n  "command": "git status --short"\n}',
    source: "",
    pattern: "git status *",
    scopes: ["once", "conversation", "always"],
    ...more,
  };
}
