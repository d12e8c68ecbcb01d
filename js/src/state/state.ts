/** What this page knows of one widget. Per-view things (open tab, draft, scroll) live in the views. */

import type {
  ApprovalView,
  ApproveMode,
  CommandName,
  ConversationView,
  EventRow,
  MessageView,
  ModelView,
  NoticeView,
  QueuedView,
  SettingsView,
  StateView,
  ToolRunView,
  ToolsView,
  TotalsView,
} from "../protocol";
import type { Ending } from "../transport";

export interface PendingCommand {
  id: string;
  name: CommandName;
  sentAt: number;
  /** What a `send` says, to show it before the kernel has it. */
  text: string;
}

/** Message id → the tool calls it made, in their order. An array stays the same until one of its calls changes. */
export type ToolRuns = ReadonlyMap<string, readonly ToolRunView[]>;

export interface State {
  /**
   * loading: no snapshot yet; offline: the page has no way to the kernel; silent: the kernel was asked for a sign of
   * life and gave none; gone: the kernel that made this widget is.
   */
  connection: "loading" | "live" | "offline" | "silent" | "gone";
  /** Of the connection that is gone. */
  ending: Ending;
  epoch: string;
  /** Of the last envelope; 0 before the first. */
  seq: number;
  /** A piece is missing: ask for a snapshot. */
  needsSync: boolean;
  version: string;
  ipykernel: string;
  hasSubshells: boolean;
  conversation: ConversationView;
  messages: readonly MessageView[];
  hasEarlier: boolean;
  toolRuns: ToolRuns;
  /** What waits for the user. */
  approvals: readonly ApprovalView[];
  approveMode: ApproveMode;
  agent: StateView;
  queue: readonly QueuedView[];
  model: ModelView;
  totals: TotalsView;
  notices: readonly NoticeView[];
  settings: SettingsView | null;
  tools: ToolsView | null;
  /** Ascending by seq. */
  events: readonly EventRow[];
  hasEarlierEvents: boolean;
  /** Commands without an acknowledgement. */
  pending: readonly PendingCommand[];
  /** Milliseconds this browser's clock is ahead of the kernel's. */
  clockSkew: number;
}

export const INITIAL_STATE: State = {
  connection: "loading",
  ending: "ended",
  epoch: "",
  seq: 0,
  needsSync: false,
  version: "",
  ipykernel: "",
  hasSubshells: true,
  conversation: { id: "", title: "" },
  messages: [],
  hasEarlier: false,
  toolRuns: new Map(),
  approvals: [],
  approveMode: "ask",
  agent: { state: "idle", turn_id: null, since: 0, waiting_for_provider: false, retry: null },
  queue: [],
  model: { id: "", host: "", is_demo: false, is_local: false },
  totals: {
    requests: 0,
    usage: {
      input_tokens: null,
      output_tokens: null,
      reasoning_tokens: null,
      cache_read_tokens: null,
      cache_write_tokens: null,
      cost_usd: null,
      cost_is_estimate: false,
    },
  },
  notices: [],
  settings: null,
  tools: null,
  events: [],
  hasEarlierEvents: false,
  pending: [],
  clockSkew: Number.POSITIVE_INFINITY,
};
