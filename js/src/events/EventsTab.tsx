/** The Events tab: everything the assistant does, as it happens. */

import { useEffect, useState } from "preact/hooks";
import type { EventRow } from "../protocol";
import { MOST_EVENTS } from "../state/reducer";
import type { Store } from "../state/store";
import type { TabProps } from "../tabs";
import { Button } from "../ui/Button";
import { count } from "../ui/format";
import { useSelect } from "../ui/hooks";
import { EventDetails } from "./EventDetails";
import { EventList } from "./EventList";
import { isFiltering, NO_FILTER } from "./filter";
import { logOf, untilPause } from "./log";
import { Toolbar } from "./Toolbar";
import { download, toCsv, toJsonl } from "./transfer";
import "./events.css";

const EARLIER_AT_ONCE = 1000;

export function EventsTab({ store, view }: TabProps) {
  const all = useSelect(store, (state) => state.events);
  const log = logOf(view);
  const filter = log.filter.value;
  useEffect(() => store.watchEvents(), [store]);
  const earlier = useEarlier(store, all);
  const { rows, missed } = untilPause(all, log.pausedAt.value);
  const { shown, kinds, turns } = log.rows.update(rows, filter);
  const opened = all.find((row) => row.seq === log.opened.value);
  const id = `${view.id}-events`;
  const close = () => {
    log.opened.value = null;
    view.element.querySelector<HTMLElement>(".rb-log-box")?.focus();
  };

  return (
    <div class="rb-log">
      <Toolbar
        id={id}
        filter={filter}
        kinds={kinds}
        turns={turns}
        isPaused={log.pausedAt.value !== null}
        missed={missed}
        canExport={shown.length > 0}
        onFilter={(part) => log.change(part)}
        onPause={() => log.togglePause(all)}
        onExport={(format) => save(shown, format)}
      />
      <div class="rb-log-status">
        <span>{countText(shown.length, rows.length)}</span>
        {isFiltering(filter) && (
          <Button label="Clear filters" kind="quiet" onClick={() => log.change(NO_FILTER)} />
        )}
        {earlier.canLoad && (
          <Button label="Load earlier" kind="quiet" isDisabled={earlier.isLoading} onClick={earlier.load} />
        )}
        {earlier.error && <span class="rb-field-error">{earlier.error}</span>}
      </div>
      <div class="rb-log-main">
        {shown.length > 0 ? (
          <EventList
            id={id}
            rows={shown}
            selected={log.selected.value}
            onSelect={(seq) => {
              log.selected.value = seq;
              if (log.opened.value !== null) log.opened.value = seq;
            }}
            onOpen={(seq) => {
              log.opened.value = seq;
            }}
            onClose={close}
            onTop={earlier.load}
          />
        ) : (
          <Nothing isFiltered={rows.length > 0} />
        )}
        {opened && (
          <EventDetails
            store={store}
            row={opened}
            onOnlyTurn={(turn) => log.change({ ...NO_FILTER, turn })}
            onClose={close}
          />
        )}
      </div>
    </div>
  );
}

function Nothing({ isFiltered }: { isFiltered: boolean }) {
  return (
    <div class="rb-log-nothing" role="status">
      <strong>{isFiltered ? "No event matches" : "Nothing has happened yet"}</strong>
      <span>
        {isFiltered
          ? "Change the search or the filters."
          : "Ask something in Chat or in a cell: every step of the answer is listed here."}
      </span>
    </div>
  );
}

/** Rows before the first one known, as long as there is room for them. */
function useEarlier(store: Store, rows: readonly EventRow[]) {
  const hasEarlier = useSelect(store, (state) => state.hasEarlierEvents);
  const [isLoading, setIsLoading] = useState(false);
  const [error, setError] = useState("");
  const room = MOST_EVENTS - rows.length;
  const canLoad = hasEarlier && room > 0 && rows.length > 0;
  const load = async () => {
    const first = rows[0];
    if (!canLoad || isLoading || !first) return;
    setIsLoading(true);
    setError("");
    try {
      const limit = Math.min(EARLIER_AT_ONCE, room);
      const answer = await store.command("events_before", { seq: first.seq, limit });
      store.dispatch({ type: "event_rows", rows: answer.rows, hasEarlier: answer.has_earlier });
    } catch (failure) {
      setError(failure instanceof Error ? failure.message : String(failure));
    }
    setIsLoading(false);
  };
  return { canLoad, isLoading, error, load };
}

function save(rows: readonly EventRow[], format: "csv" | "jsonl"): void {
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(":", "-");
  const name = `rustbot-events-${stamp}.${format}`;
  if (format === "csv") download(toCsv(rows), name, "text/csv");
  else download(toJsonl(rows), name, "application/jsonl");
}

function countText(shown: number, all: number): string {
  if (all === 0) return "";
  if (shown < all) return `${count(shown)} of ${count(all)} events`;
  return all === 1 ? "1 event" : `${count(all)} events`;
}
