import type { State } from "../state/state";
import type { TabProps } from "../tabs";
import { Button } from "../ui/Button";
import { focusPrompt } from "../ui/focus";
import { useSelect } from "../ui/hooks";

const isUseless = (state: State): boolean => state.messages.length === 0 || state.connection === "gone";

/** Starts another conversation. */
export function NewChat({ store, view }: TabProps) {
  const isEmpty = useSelect(store, isUseless);
  const start = () => {
    view.tab.value = "chat";
    store.command("new_conversation", {}).catch(() => {});
    // Once the tab is drawn.
    requestAnimationFrame(() => focusPrompt(view));
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
