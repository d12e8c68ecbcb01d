import type { Store } from "../state/store";
import { Button } from "../ui/Button";
import { useSelect } from "../ui/hooks";
import { Icon } from "../ui/Icon";
import type { View } from "../view";

/** Says at the input that something waits for an answer, and leads there. */
export function WaitingHint({ store, view }: { store: Store; view: View }) {
  const count = useSelect(store, (state) => state.approvals.length);
  if (count === 0) return null;
  const show = () => {
    const card = view.element.querySelector<HTMLElement>('[data-kind="approval"]');
    card?.scrollIntoView({ block: "center" });
    card?.focus({ preventScroll: true });
  };
  return (
    <div class="rb-waiting-hint">
      <Icon name="shield" />
      <span>{count === 1 ? "Rustbot waits for your answer." : `Rustbot waits for ${count} answers.`}</span>
      <Button label="Go to the question" kind="quiet" onClick={show}>
        Show
      </Button>
    </div>
  );
}
