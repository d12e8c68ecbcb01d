/** Messages between the page and the kernel: the mirror of `rustbot_jupyter/notebook/protocol.py`. */

export const PROTOCOL_VERSION = 1;

/** Tokens and cost; null is unknown. */
export interface UsageView {
  input_tokens: number | null;
  output_tokens: number | null;
  reasoning_tokens: number | null;
  cache_read_tokens: number | null;
  cache_write_tokens: number | null;
  cost_usd: number | null;
  cost_is_estimate: boolean;
}

/** Why there is no (whole) answer. */
export interface ErrorView {
  type: string;
  text: string;
  detail: string;
  status: number | null;
  retryable: boolean;
  suggestions: string[];
}

export interface CitationView {
  url: string;
  title: string;
}

export type MessageStatus = "streaming" | "complete" | "interrupted" | "error";

/** One bubble. */
export interface MessageView {
  id: string;
  role: "user" | "assistant";
  status: MessageStatus;
  text: string;
  /** Code points of `text`; the offset of the next piece. */
  text_length: number;
  reasoning: string;
  reasoning_length: number;
  created_at: number;
  turn_id: string | null;
  source: string;
  model: string | null;
  model_is_demo: boolean;
  usage: UsageView | null;
  ttft_s: number | null;
  duration_s: number | null;
  finish_reason: string | null;
  citations: CitationView[];
  error: ErrorView | null;
}

export type AgentState =
  | "idle"
  | "processing"
  | "responding"
  | "running_tools"
  | "waiting_approval"
  | "waiting_kernel"
  | "waiting_retry"
  | "error"
  | "closed";

export interface RetryView {
  attempt: number;
  attempts: number;
  until: number;
  reason: string;
}

export interface StateView {
  state: AgentState;
  turn_id: string | null;
  since: number;
  waiting_for_provider: boolean;
  retry: RetryView | null;
}

export interface QueuedView {
  id: string;
  text: string;
  source: string;
}

export interface ModelView {
  id: string;
  host: string;
  is_demo: boolean;
  is_local: boolean;
}

export interface TotalsView {
  requests: number;
  usage: UsageView;
}

export interface NoticeView {
  id: string;
  level: "info" | "warning" | "error";
  text: string;
}

export type Priority = "CRITICAL" | "HIGH" | "NORMAL" | "LOW";

export interface EventRow {
  seq: number;
  time: number;
  kind: string;
  priority: Priority;
  state: string | null;
  turn_id: string | null;
  duration_s: number | null;
  summary: string;
}

export type FieldType = "string" | "text" | "number" | "integer" | "boolean" | "choice" | "list" | "table";
export type SettingsLayer = "default" | "file" | "profile" | "environment" | "session";

export interface FieldView {
  name: string;
  label: string;
  group: string;
  type: FieldType;
  unit: string;
  minimum: number | null;
  maximum: number | null;
  choices: string[];
  help: string;
  value: unknown;
  default: unknown;
  layer: SettingsLayer;
  where: string;
}

export interface KeyView {
  present: boolean;
  source: string;
  host: string;
  can_use_keyring: boolean;
}

export interface SettingsView {
  profile: string;
  profiles: string[];
  fields: FieldView[];
  key: KeyView;
  problems: string[];
  path: string;
}

/** A picture, to be shown as a `data:` URL. */
export interface ImageView {
  /** image/png, image/jpeg, image/gif or image/webp; nothing else is shown. */
  media_type: string;
  data: string;
}

export type Risk = "read" | "write" | "execute" | "network";

export type RunState =
  | "waiting"
  | "waiting_approval"
  | "waiting_kernel"
  | "running"
  | "complete"
  | "error"
  | "refused"
  | "timeout"
  | "interrupted";

/** One tool call: a card below the answer that made it. */
export interface ToolRunView {
  id: string;
  /** The assistant message that made the call. */
  message_id: string;
  turn_id: string;
  tool: string;
  label: string;
  /** built-in, user, plugin:NAME or mcp:NAME. */
  source: string;
  risk: Risk;
  /** JSON, laid out for reading; long ones are cut (`tool_run` gives all). */
  arguments: string;
  state: RunState;
  /** null until it runs. */
  started_at: number | null;
  /** Its own time, waits not counted; null until it is over. */
  duration_s: number | null;
  /** The last part of what it printed. */
  output: string;
  /** Code points of all output; the offset of the next piece. */
  output_length: number;
  result: string;
  result_is_cut: boolean;
  images: ImageView[];
  /** Plotly figures: JSON of `data` and `layout`. */
  figures: string[];
  /** Why it was allowed to run; "" before that is known. */
  approval: string;
}

export type ApprovalKind = "arguments" | "code" | "command" | "diff" | "address" | "question";
export type ApprovalScope = "once" | "conversation" | "always";

/** A card with which the user lets something happen, or not. */
export interface ApprovalView {
  id: string;
  /** Of what is shown; comes back with the answer, so that nothing else can be meant. */
  digest: string;
  /** The tool call that waits; "" for other questions. */
  run_id: string;
  tool: string;
  label: string;
  risk: Risk;
  kind: ApprovalKind;
  /** Exactly what will run. */
  text: string;
  note: string;
  /** All arguments as JSON, whatever `kind` shows. */
  arguments: string;
  /** What was read before: "after reading file notes.txt"; "" for nothing. */
  source: string;
  /** What "always" would allow. */
  pattern: string;
  scopes: ApprovalScope[];
}

/** What happens with calls that no rule speaks of. */
export type ApproveMode = "ask" | "read-only" | "allow";

/** A tool in the Settings tab. */
export interface ToolView {
  name: string;
  label: string;
  description: string;
  source: string;
  risk: Risk;
  enabled: boolean;
}

/** An MCP server in the Settings tab. */
export interface ServerView {
  name: string;
  state: "stopped" | "unapproved" | "starting" | "running" | "failed";
  /** The exact command or address. */
  command: string;
  /** user, workspace or code: which file named it. */
  origin: string;
  tools: number;
  error: string;
}

/** A standing answer. */
export interface RuleView {
  id: string;
  tool: string;
  pattern: string;
  decision: "allow" | "ask" | "deny";
  scope: "conversation" | "always";
  /** Where it holds; "" everywhere. */
  workspace: string;
}

export interface ToolsView {
  tools: ToolView[];
  servers: ServerView[];
  rules: RuleView[];
  problems: string[];
}

export interface ConversationView {
  id: string;
  title: string;
}

export interface SnapshotOp {
  op: "snapshot";
  view: string;
  version: string;
  conversation: ConversationView;
  messages: MessageView[];
  has_earlier: boolean;
  /** Of these messages. */
  tool_runs: ToolRunView[];
  approvals: ApprovalView[];
  approve_mode: ApproveMode;
  state: StateView;
  queue: QueuedView[];
  model: ModelView;
  totals: TotalsView;
  notices: NoticeView[];
  ipykernel: string;
  has_subshells: boolean;
}

export interface AckOp {
  op: "ack";
  view: string;
  id: string;
  ok: boolean;
  error?: string;
  result?: Record<string, unknown>;
}

export type Op =
  | SnapshotOp
  | AckOp
  | { op: "message"; message: MessageView }
  | { op: "message_patch"; id: string; fields: Partial<MessageView> }
  | { op: "text" | "reasoning"; id: string; offset: number; text: string }
  | { op: "remove"; ids: string[] }
  | { op: "state"; state: StateView }
  | { op: "queue"; items: QueuedView[] }
  | { op: "model"; model: ModelView }
  | { op: "totals"; totals: TotalsView }
  | { op: "notices"; notices: NoticeView[] }
  | { op: "events"; rows: EventRow[] }
  | { op: "settings"; settings: SettingsView }
  | { op: "tool_run"; run: ToolRunView }
  | { op: "tool_output"; id: string; offset: number; text: string }
  | { op: "approvals"; items: ApprovalView[] }
  | { op: "approve_mode"; mode: ApproveMode }
  | { op: "tools"; tools: ToolsView }
  | { op: "reset"; conversation: ConversationView };

/** One flush of the kernel. */
export interface Envelope {
  epoch: string;
  seq: number;
  ops: Op[];
}

/** The content beside the binary buffer that holds a library's ES module. */
export interface LibraryHeader {
  library: string;
  id: string;
  view: string;
  encoding: "gzip" | "identity";
}

export interface ModelChoice {
  id: string;
  name: string;
  context_length: number | null;
  /** Dollars per million tokens. */
  input_usd: number | null;
  output_usd: number | null;
}

export type LibraryName = "katex" | "markdown" | "plotly";

export interface ServerChoice {
  name: string;
  base_url: string;
  models: string[];
}

/** What the input completes. */
export interface References {
  /** `name` is "server:prompt", sent as "/server:prompt words". */
  prompts: { name: string; description: string; arguments: string[] }[];
  /** `name` is "server:uri", sent as "@server:uri". */
  resources: { name: string; description: string }[];
}

export type ServerAction = "start" | "stop" | "restart" | "remove";

type Nothing = Record<string, never>;

/** Command → its fields and the result its acknowledgement carries. */
export interface Commands {
  sync: { fields: Nothing; result: Nothing };
  send: { fields: { text: string }; result: Nothing };
  stop: { fields: Nothing; result: Nothing };
  regenerate: { fields: { message_id: string }; result: Nothing };
  /** As regenerate, with the older half of the conversation left out. */
  shorten: { fields: { message_id: string }; result: Nothing };
  continue: { fields: { message_id: string }; result: Nothing };
  edit: { fields: { message_id: string; text: string }; result: Nothing };
  queue_edit: { fields: { item_id: string; text: string }; result: Nothing };
  queue_remove: { fields: { item_id: string }; result: Nothing };
  queue_send_now: { fields: { item_id: string }; result: Nothing };
  new_conversation: { fields: Nothing; result: Nothing };
  earlier_messages: {
    fields: { before_id: string };
    result: { messages: MessageView[]; tool_runs: ToolRunView[]; has_earlier: boolean };
  };
  dismiss_notice: { fields: { notice_id: string }; result: Nothing };
  set_model: { fields: { model: string }; result: Nothing };
  models: { fields: { words: string }; result: { models: ModelChoice[]; age_s: number | null } };
  settings: { fields: Nothing; result: Nothing };
  save_settings: { fields: { values: Record<string, unknown>; persist: boolean }; result: Nothing };
  use_profile: { fields: { profile: string }; result: Nothing };
  set_key: { fields: { key: string; remember: "memory" | "keyring" | "file" }; result: Nothing };
  forget_key: { fields: Nothing; result: Nothing };
  check_connection: { fields: Nothing; result: { ok: boolean; text: string } };
  find_servers: { fields: Nothing; result: { servers: ServerChoice[] } };
  subscribe: { fields: { topic: "events" }; result: { rows: EventRow[]; has_earlier: boolean } };
  unsubscribe: { fields: { topic: "events" }; result: Nothing };
  events_before: {
    fields: { seq: number; limit: number };
    result: { rows: EventRow[]; has_earlier: boolean };
  };
  event: { fields: { seq: number }; result: { data: Record<string, unknown> } };
  approve: { fields: { approval_id: string; digest: string; scope: ApprovalScope }; result: Nothing };
  /** The reason goes to the model; "" for none. */
  deny: { fields: { approval_id: string; digest: string; reason: string }; result: Nothing };
  cancel_tool: { fields: { run_id: string }; result: Nothing };
  /** Both whole. */
  tool_run: { fields: { run_id: string }; result: { arguments: string; result: string } };
  /** `allow` is only set when the user confirmed it. */
  set_approve_mode: { fields: { mode: ApproveMode; confirmed: boolean }; result: Nothing };
  tools: { fields: Nothing; result: Nothing };
  enable_tool: { fields: { tool: string; enabled: boolean }; result: Nothing };
  remove_rule: { fields: { rule_id: string }; result: Nothing };
  mcp_server: { fields: { server: string; action: ServerAction }; result: Nothing };
  mcp_log: { fields: { server: string }; result: { text: string } };
  references: { fields: Nothing; result: References };
  library: { fields: { name: LibraryName }; result: Nothing };
}

export type CommandName = keyof Commands;
export type CommandMessage<N extends CommandName = CommandName> = {
  rustbot: typeof PROTOCOL_VERSION;
  id: string;
  view: string;
  command: N;
} & Commands[N]["fields"];

const OP_KINDS: ReadonlySet<string> = new Set<Op["op"]>([
  "snapshot",
  "ack",
  "message",
  "message_patch",
  "text",
  "reasoning",
  "remove",
  "state",
  "queue",
  "model",
  "totals",
  "notices",
  "events",
  "settings",
  "tool_run",
  "tool_output",
  "approvals",
  "approve_mode",
  "tools",
  "reset",
]);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The envelope in a custom message, or one sentence that says why it is none. */
export function parseEnvelope(content: unknown): Envelope | string {
  if (!isRecord(content) || content.rustbot !== PROTOCOL_VERSION) {
    return `not a message of protocol ${PROTOCOL_VERSION}`;
  }
  const { epoch, seq } = content;
  if (typeof epoch !== "string" || typeof seq !== "number") return "an envelope needs epoch and seq";
  let ops: unknown = content.ops;
  if (typeof content.escaped === "string") {
    try {
      ops = JSON.parse(content.escaped);
    } catch {
      return "the escaped ops are not JSON";
    }
  }
  if (!Array.isArray(ops)) return "an envelope needs ops";
  // An op of a kind we do not know comes from a newer kernel; the others still count.
  return { epoch, seq, ops: ops.filter((op): op is Op => isRecord(op) && OP_KINDS.has(String(op.op))) };
}

/** The header of a library message, or null when the content is something else. */
export function parseLibraryHeader(content: unknown): LibraryHeader | null {
  if (!isRecord(content) || content.rustbot !== PROTOCOL_VERSION) return null;
  const { library, id, view, encoding } = content;
  if (typeof library !== "string" || typeof id !== "string" || typeof view !== "string") return null;
  if (encoding !== "gzip" && encoding !== "identity") return null;
  return { library, id, view, encoding };
}
