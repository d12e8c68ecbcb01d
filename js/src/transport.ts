/** The way to the kernel. `AnyModelTransport` is the only caller of `model.send` and `model.on`. */

import type { AnyModel } from "@anywidget/types";
import {
  type CommandMessage,
  type Envelope,
  type LibraryHeader,
  parseEnvelope,
  parseLibraryHeader,
} from "./protocol";

/** Why a kernel is gone: another one runs in its process's place, it was shut down or left, or the chat was closed. */
export type Ending = "restarted" | "ended" | "closed";

export interface TransportListener {
  envelope(envelope: Envelope): void;
  library(header: LibraryHeader, data: DataView): void;
  /** The kernel this page talked to is gone; nothing sent from now on arrives. */
  gone(ending: Ending): void;
  /** The way to the kernel broke, or is there again; what is sent meanwhile waits. */
  link(isUp: boolean): void;
}

/** What JupyterLab's and Notebook's widget manager tells of its kernel; other applications tell nothing. */
interface ToldKernel {
  connectionStatus: string;
  disposed: LuminoSignal<void>;
  statusChanged: LuminoSignal<string>;
  connectionStatusChanged: LuminoSignal<string>;
}

interface LuminoSignal<T> {
  connect(slot: (sender: unknown, value: T) => void): void;
  disconnect(slot: (sender: unknown, value: T) => void): void;
}

const ENDED: ReadonlySet<string> = new Set(["terminating", "dead"]);
/** ipywidgets announces a restart by the first, and a closed comm by the others. */
const ENDINGS: Readonly<Record<string, Ending>> = {
  comm_live_update: "restarted",
  "comm:close": "closed",
  destroy: "closed",
};

export interface Transport {
  /** Hands a command over; false when the kernel is gone. */
  send(message: CommandMessage): boolean;
  /** Calls `listener` until `signal` ends. */
  listen(listener: TransportListener, signal: AbortSignal): void;
}

export class AnyModelTransport implements Transport {
  constructor(private readonly model: AnyModel) {}

  send(message: CommandMessage): boolean {
    try {
      this.model.send(message);
      return true;
    } catch {
      // JupyterLab throws "Cannot send" once the kernel was restarted or shut down.
      return false;
    }
  }

  listen(listener: TransportListener, signal: AbortSignal): void {
    const receive = (content: unknown, buffers: DataView[] = []) => {
      const header = parseLibraryHeader(content);
      const data = buffers[0];
      if (header && data) return listener.library(header, data);
      const envelope = parseEnvelope(content);
      if (typeof envelope === "string") return console.warn(`[rustbot] dropped a message: ${envelope}`);
      listener.envelope(envelope);
    };
    const endings = Object.entries(ENDINGS).map(
      ([name, ending]) => [name, () => listener.gone(ending)] as const,
    );
    this.model.on("msg:custom", receive);
    for (const [name, gone] of endings) this.model.on(name, gone);
    signal.addEventListener("abort", () => {
      this.model.off("msg:custom", receive);
      for (const [name, gone] of endings) this.model.off(name, gone);
    });
    this.watchKernel(listener, signal);
  }

  private watchKernel(listener: TransportListener, signal: AbortSignal): void {
    const kernel = (this.model.widget_manager as { kernel?: ToldKernel } | undefined)?.kernel;
    if (!kernel?.disposed?.connect) return;
    // Shut down, or another one was chosen.
    const onDisposed = () => listener.gone("ended");
    const onStatus = (_: unknown, status: string) => {
      if (ENDED.has(status)) listener.gone("ended");
      if (status === "autorestarting") listener.gone("restarted");
    };
    const onLink = (_: unknown, status: string) => listener.link(status === "connected");
    kernel.disposed.connect(onDisposed);
    kernel.statusChanged.connect(onStatus);
    kernel.connectionStatusChanged.connect(onLink);
    signal.addEventListener("abort", () => {
      kernel.disposed.disconnect(onDisposed);
      kernel.statusChanged.disconnect(onStatus);
      kernel.connectionStatusChanged.disconnect(onLink);
    });
  }
}
