/** One per widget and page, shared by its views: state, and commands with their acknowledgements. */

import { computed, type ReadonlySignal, signal } from "@preact/signals";
import {
  type CommandMessage,
  type CommandName,
  type Commands,
  type Envelope,
  type LibraryHeader,
  type LibraryName,
  PROTOCOL_VERSION,
} from "../protocol";
import type { Ending, Transport } from "../transport";
import { type Action, reduce } from "./reducer";
import { isActive } from "./selectors";
import { INITIAL_STATE, type State } from "./state";

/** The kernel refused a command, or is gone; the text is for people. */
export class CommandFailed extends Error {}

const SLOW_AFTER_MS = 1000;
const RESEND_AFTER_MS = 5000;
const SYNC_PAUSE_MS = 1000;
const REPEAT_SYNC_MS = 250;
/** These answer only when a server elsewhere did, so their silence says nothing about the kernel. */
const PATIENT: ReadonlySet<CommandName> = new Set<CommandName>([
  "models",
  "check_connection",
  "find_servers",
  "library",
]);

/** A kernel at work that says nothing for so long is asked for a sign of life. */
const QUIET_MS = 20_000;
const ANSWERS_WITHIN_MS = 10_000;

export const ENDING_WORDS: Readonly<Record<Ending, string>> = {
  restarted: "The kernel was restarted: run the cell again.",
  ended: "The kernel of this chat has ended: run the cell again.",
  closed: "This chat was closed: run the cell again for another one.",
};

interface Waiting {
  message: CommandMessage;
  sentAt: number;
  wasResent: boolean;
  resolve(result: unknown): void;
  reject(error: CommandFailed): void;
}

const randomId = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(9)), (byte) => byte.toString(36).padStart(2, "0")).join(
    "",
  );

export class Store {
  /** Names this page to the kernel; what answers us carries it. */
  readonly view = randomId();
  private readonly current = signal<State>(INITIAL_STATE);
  readonly state: ReadonlySignal<State> = this.current;
  /** A command has waited for its acknowledgement for a second: the kernel is busy. */
  readonly isKernelSlow = signal(false);
  private readonly waiting = new Map<string, Waiting>();
  private readonly libraries = new Map<string, (header: LibraryHeader, data: DataView) => void>();
  private eventViewers = 0;
  private slowTimer: ReturnType<typeof setTimeout> | undefined;
  private syncTimer: ReturnType<typeof setTimeout> | undefined;
  private repeatTimer: ReturnType<typeof setTimeout> | undefined;
  private lifeTimer: ReturnType<typeof setTimeout> | undefined;
  private heardAt = Number.NEGATIVE_INFINITY;
  private lastSyncAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly transport: Transport,
    signal: AbortSignal,
    private readonly clock: () => number = Date.now,
  ) {
    transport.listen(
      {
        envelope: (envelope) => this.receive(envelope),
        library: (header, data) => this.libraries.get(header.id)?.(header, data),
        gone: (ending) => this.lose(ending),
        link: (isUp) => this.link(isUp),
      },
      signal,
    );
    signal.addEventListener("abort", () => {
      clearTimeout(this.slowTimer);
      clearTimeout(this.syncTimer);
      clearTimeout(this.repeatTimer);
      clearTimeout(this.lifeTimer);
    });
    document.addEventListener(
      "visibilitychange",
      () => {
        if (document.visibilityState === "visible") this.askForLife();
      },
      { signal },
    );
  }

  select<T>(selector: (state: State) => T): ReadonlySignal<T> {
    return computed(() => selector(this.current.value));
  }

  dispatch(action: Action): void {
    this.current.value = reduce(this.current.value, action);
  }

  /** Sends a command; resolves with the result of its acknowledgement, rejects with `CommandFailed`. */
  command<N extends CommandName>(name: N, fields: Commands[N]["fields"]): Promise<Commands[N]["result"]> {
    const message = { rustbot: PROTOCOL_VERSION, id: randomId(), view: this.view, command: name, ...fields };
    return new Promise((resolve, reject) => {
      const sentAt = this.clock();
      const text = "text" in fields ? String(fields.text) : "";
      this.waiting.set(message.id, {
        message: message as CommandMessage,
        sentAt,
        wasResent: false,
        resolve: resolve as (result: unknown) => void,
        reject,
      });
      this.dispatch({ type: "sent", command: { id: message.id, name, sentAt, text } });
      if (this.transport.send(message as CommandMessage)) this.watchForSilence();
      else this.lose("ended");
    });
  }

  private link(isUp: boolean): void {
    this.dispatch({ type: "link", isUp });
    if (this.current.value.needsSync) this.sync();
  }

  /** A kernel that is at work and says nothing for long is asked whether it is there. */
  private watchLife(): void {
    clearTimeout(this.lifeTimer);
    // Before ipykernel 7 a kernel that runs a cell answers nobody.
    const { hasSubshells, connection } = this.current.value;
    if (!isActive(this.current.value) || !hasSubshells || connection !== "live") return;
    this.lifeTimer = setTimeout(() => this.askForLife(), QUIET_MS);
  }

  private askForLife(): void {
    const { hasSubshells, connection } = this.current.value;
    const isHeard = this.clock() - this.heardAt < QUIET_MS;
    if (isHeard || !hasSubshells || connection !== "live") return;
    this.lastSyncAt = this.clock();
    this.command("sync", {}).catch(() => {});
    clearTimeout(this.lifeTimer);
    this.lifeTimer = setTimeout(() => this.dispatch({ type: "silent" }), ANSWERS_WITHIN_MS);
  }

  /** Asks for a snapshot, at most once a second. */
  sync(): void {
    this.dispatch({ type: "sync_asked" });
    if (this.syncTimer !== undefined) return;
    const pause = Math.max(0, this.lastSyncAt + SYNC_PAUSE_MS - this.clock());
    this.syncTimer = setTimeout(() => {
      this.syncTimer = undefined;
      this.lastSyncAt = this.clock();
      this.command("sync", {}).catch(() => {});
      this.repeatSync(REPEAT_SYNC_MS);
    }, pause);
  }

  /**
   * Asks again, ever more rarely, while there is nothing to show. JupyterLab sends what the first widget of a kernel
   * says before its subshell is there to the cell that runs, and that cell may wait for this very view.
   */
  private repeatSync(afterMs: number): void {
    clearTimeout(this.repeatTimer);
    this.repeatTimer = setTimeout(() => {
      if (this.current.value.connection !== "loading") return;
      this.command("sync", {}).catch(() => {});
      this.repeatSync(2 * afterMs);
    }, afterMs);
  }

  /** A view is shown: make sure there is something to show. */
  open(): void {
    if (this.current.value.connection !== "live") this.sync();
  }

  /** Keeps event rows coming until the returned function is called. */
  watchEvents(): () => void {
    this.eventViewers += 1;
    if (this.eventViewers === 1) this.subscribeToEvents();
    let isWatching = true;
    return () => {
      if (!isWatching) return;
      isWatching = false;
      this.eventViewers -= 1;
      if (this.eventViewers === 0) this.command("unsubscribe", { topic: "events" }).catch(() => {});
    };
  }

  private subscribeToEvents(): void {
    this.command("subscribe", { topic: "events" })
      .then(({ rows, has_earlier }) => this.dispatch({ type: "event_rows", rows, hasEarlier: has_earlier }))
      .catch(() => {});
  }

  /** The ES module `name` as the kernel sends it, undecoded. */
  async library(name: LibraryName, timeoutMs: number): Promise<{ header: LibraryHeader; data: DataView }> {
    const id = randomId();
    const message: CommandMessage = {
      rustbot: PROTOCOL_VERSION,
      id,
      view: this.view,
      command: "library",
      name,
    };
    try {
      return await new Promise((resolve, reject) => {
        this.libraries.set(id, (header, data) => resolve({ header, data }));
        // A refusal comes as an ordinary acknowledgement.
        this.waiting.set(id, { message, sentAt: this.clock(), wasResent: true, resolve: () => {}, reject });
        setTimeout(() => reject(new CommandFailed(`No answer to the request for ${name}.`)), timeoutMs);
        if (!this.transport.send(message)) reject(new CommandFailed("The kernel is gone."));
      });
    } finally {
      this.libraries.delete(id);
      this.waiting.delete(id);
    }
  }

  private receive(envelope: Envelope): void {
    this.heardAt = this.clock();
    const before = this.current.value;
    this.dispatch({ type: "envelope", envelope, view: this.view, now: this.clock() });
    for (const op of envelope.ops) {
      if (op.op !== "ack" || op.view !== this.view) continue;
      const waiting = this.waiting.get(op.id);
      if (!waiting) continue;
      this.waiting.delete(op.id);
      this.resendLost(waiting.sentAt);
      if (op.ok) waiting.resolve(op.result ?? {});
      else waiting.reject(new CommandFailed(op.error ?? "The kernel refused the command."));
    }
    const after = this.current.value;
    if (after.epoch !== before.epoch && before.epoch !== "" && this.eventViewers > 0)
      this.subscribeToEvents();
    if (after.needsSync) this.sync();
    this.watchForSilence();
    this.watchLife();
  }

  /** The kernel reads in order: what is older than an acknowledged command and silent was lost on the way. */
  private resendLost(acknowledgedSentAt: number): void {
    for (const waiting of this.waiting.values()) {
      const isLost = waiting.sentAt < acknowledgedSentAt && this.clock() - waiting.sentAt > RESEND_AFTER_MS;
      if (!isLost || waiting.wasResent) continue;
      waiting.wasResent = true;
      this.transport.send(waiting.message);
    }
  }

  private watchForSilence(): void {
    clearTimeout(this.slowTimer);
    // Asked for by ourselves, while there is something to show: nobody waits for it.
    const isOurs = (name: CommandName) => name === "sync" && this.current.value.connection === "live";
    const waits = [...this.waiting.values()].filter(
      ({ message: { command } }) => !PATIENT.has(command) && !isOurs(command),
    );
    const oldest = Math.min(...waits.map(({ sentAt }) => sentAt));
    const left = oldest + SLOW_AFTER_MS - this.clock();
    this.isKernelSlow.value = left <= 0;
    if (left > 0 && Number.isFinite(left)) this.slowTimer = setTimeout(() => this.watchForSilence(), left);
  }

  private lose(ending: Ending): void {
    clearTimeout(this.lifeTimer);
    this.dispatch({ type: "gone", ending });
    const lost = [...this.waiting.values()];
    this.waiting.clear();
    this.watchForSilence();
    for (const { reject } of lost) reject(new CommandFailed(ENDING_WORDS[this.current.value.ending]));
  }
}
