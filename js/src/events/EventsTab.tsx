import { useEffect } from "preact/hooks";
import type { TabProps } from "../tabs";
import { clockTime } from "../ui/format";
import { useSelect } from "../ui/hooks";

/** What happened, newest last. */
export function EventsTab({ store }: TabProps) {
  const rows = useSelect(store, (state) => state.events);
  useEffect(() => store.watchEvents(), [store]);
  if (rows.length === 0) return <p class="rb-hint">Nothing has happened yet.</p>;
  return (
    <ol class="rb-plain-list">
      {rows.slice(-200).map((row) => (
        <li key={row.seq}>
          {clockTime(row.time)} {row.kind}: {row.summary}
        </li>
      ))}
    </ol>
  );
}
