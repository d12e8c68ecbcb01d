/** What the chat can do, with one place for what the kernel refuses. */

import { LIBRARY_TIMEOUT_MS, loadLibrary } from "../libraries/loader";
import type { CommandName, Commands } from "../protocol";
import { kernelNow } from "../state/selectors";
import type { Store } from "../state/store";
import type { ToolActions } from "../tools/ToolCards";
import type { View } from "../view";

export interface ChatActions extends ToolActions {
  /** Resolves to false when the message was not taken; its text is to be kept. */
  send(text: string): Promise<boolean>;
  stop(): void;
  regenerate(messageId: string): void;
  /** The same question again, with the older half of the conversation left out. */
  shorten(messageId: string): void;
  continueAnswer(messageId: string): void;
  /** Resolves to false when it was not taken. */
  edit(messageId: string, text: string): Promise<boolean>;
  /** The same question again, to another model. */
  retryWith(messageId: string, model: string): void;
  newConversation(): void;
  setModel(model: string): void;
  openKeySetting(): void;
}

export function makeActions(store: Store, view: View, complain: (text: string) => void): ChatActions {
  const run = async <N extends CommandName>(name: N, fields: Commands[N]["fields"]): Promise<boolean> => {
    try {
      await store.command(name, fields);
      return true;
    } catch (error) {
      complain(error instanceof Error ? error.message : String(error));
      return false;
    }
  };
  return {
    send: (text) => run("send", { text }),
    stop: () => run("stop", {}),
    regenerate: (messageId) => run("regenerate", { message_id: messageId }),
    shorten: (messageId) => run("shorten", { message_id: messageId }),
    continueAnswer: (messageId) => run("continue", { message_id: messageId }),
    edit: (messageId, text) => run("edit", { message_id: messageId, text }),
    async retryWith(messageId, model) {
      if (await run("set_model", { model })) await run("regenerate", { message_id: messageId });
    },
    newConversation: () => run("new_conversation", {}),
    setModel: (model) => run("set_model", { model }),
    openKeySetting: () => view.askForKey(),
    cancelTool: (runId) => run("cancel_tool", { run_id: runId }),
    async wholeRun(runId) {
      try {
        return await store.command("tool_run", { run_id: runId });
      } catch (error) {
        complain(error instanceof Error ? error.message : String(error));
        return null;
      }
    },
    loadPlotly: async () =>
      (await loadLibrary("plotly", () => store.library("plotly", LIBRARY_TIMEOUT_MS))).default,
    kernelNow: () => kernelNow(store.state.peek(), Date.now()),
  };
}
