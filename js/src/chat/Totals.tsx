import type { Store } from "../state/store";
import { compact, cost, count } from "../ui/format";
import { useSelect } from "../ui/hooks";

/** Tokens and cost of this session. */
export function Totals({ store }: { store: Store }) {
  const { requests, usage } = useSelect(store, (state) => state.totals);
  if (requests === 0) return <span class="rb-totals" />;
  const tokens = (usage.input_tokens ?? 0) + (usage.output_tokens ?? 0);
  const price = cost(usage);
  const hint = [
    `This session: ${count(requests)} ${requests === 1 ? "request" : "requests"}`,
    `Input tokens: ${usage.input_tokens === null ? "unknown" : count(usage.input_tokens)}`,
    `Output tokens: ${usage.output_tokens === null ? "unknown" : count(usage.output_tokens)}`,
    `Cost: ${price || "unknown"}`,
  ].join("\n");
  return (
    <span class="rb-totals" title={hint}>
      <span class="rb-totals-label">this session</span>
      {tokens > 0 && (
        <span class={price && "rb-totals-tokens"}>
          {compact(tokens)} tokens{price && " ·"}
        </span>
      )}
      <span>{price}</span>
    </span>
  );
}
