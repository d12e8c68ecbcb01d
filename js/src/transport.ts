/** The way to the kernel. `AnyModelTransport` is the only caller of `model.send` and `model.on`. */

import type { AnyModel } from "@anywidget/types";
import {
  type CommandMessage,
  type Envelope,
  type LibraryHeader,
  parseEnvelope,
  parseLibraryHeader,
} from "./protocol";

export interface TransportListener {
  envelope(envelope: Envelope): void;
  library(header: LibraryHeader, data: DataView): void;
  /** The kernel this page talked to is gone; nothing sent from now on arrives. */
  gone(): void;
}

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
    const gone = () => listener.gone();
    // ipywidgets announces a restart by `comm_live_update` and a closed comm by the other two.
    const endings = ["comm_live_update", "comm:close", "destroy"];
    this.model.on("msg:custom", receive);
    for (const name of endings) this.model.on(name, gone);
    signal.addEventListener("abort", () => {
      this.model.off("msg:custom", receive);
      for (const name of endings) this.model.off(name, gone);
    });
  }
}
