import type { TabProps } from "../tabs";
import { Button } from "../ui/Button";
import { useSelect } from "../ui/hooks";

/** Starts another conversation. */
export function NewChat({ store, view }: TabProps) {
  const isEmpty = useSelect(store, (state) => state.messages.length === 0);
  const start = () => {
    view.tab.value = "chat";
    store.command("new_conversation", {}).catch(() => {});
    view.element.querySelector<HTMLElement>(".rb-composer textarea")?.focus();
  };
  return (
    <Button
      label="New chat"
      icon="plus"
      kind="quiet"
      class="rb-new-chat"
      isDisabled={isEmpty}
      onClick={start}
    />
  );
}
