/** One bubble, as far as both roles share it. */

import type { MessageView, ToolRunView } from "../protocol";
import { memo } from "../ui/memo";
import { AssistantMessage } from "./AssistantMessage";
import type { ChatActions } from "./actions";
import type { ChatContext } from "./markdownContext";
import { UserMessage } from "./UserMessage";

export interface MessageProps {
  message: MessageView;
  /** The tool calls shown below it. */
  runs: readonly ToolRunView[];
  /** How many tools its turn used, when it is the answer that came of them. */
  toolsUsed: number;
  /** The newest of the conversation. */
  isLast: boolean;
  /** A turn runs: what would start another one waits. */
  isBusy: boolean;
  /** This model runs on the user's machine. */
  isLocal: boolean;
  actions: ChatActions;
  context: ChatContext;
}

export const Message = memo((props: MessageProps) => {
  const { message } = props;
  return (
    <article
      class={`rb-message rb-message-${message.role}`}
      data-role={message.role}
      data-status={message.status}
      data-message-id={message.id}
      aria-label={message.role === "user" ? "You" : "Rustbot"}
      aria-busy={message.status === "streaming"}
    >
      {message.role === "user" ? <UserMessage {...props} /> : <AssistantMessage {...props} />}
    </article>
  );
});
