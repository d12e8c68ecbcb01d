import type { TabProps } from "../tabs";
import { useSelect } from "../ui/hooks";

export function ChatTab({ store }: TabProps) {
  const messages = useSelect(store, (state) => state.messages);
  return (
    <div>
      {messages.map((message) => (
        <article key={message.id} data-role={message.role} data-status={message.status}>
          {message.text}
        </article>
      ))}
    </div>
  );
}
