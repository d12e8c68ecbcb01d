/** One event with everything the kernel knows of it. */

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { EventRow } from "../protocol";
import type { Store } from "../state/store";
import { Button } from "../ui/Button";
import { copy } from "../ui/clipboard";
import { kindLabel, preciseTime, priorityLabel, span } from "./kinds";

interface EventDetailsProps {
  store: Store;
  row: EventRow;
  onOnlyTurn(turn: string): void;
  onClose(): void;
}

/** More would make the page slow; the copy has all of it. */
const MOST_SHOWN = 100_000;

export function EventDetails({ store, row, onOnlyTurn, onClose }: EventDetailsProps) {
  const { json, error } = useEventData(store, row.seq);
  const [isCopied, setIsCopied] = useState(false);
  useEffect(() => setIsCopied(false), [row.seq]);
  const turn = row.turn_id;
  return (
    <section class="rb-log-details" aria-label={`Details of event ${row.seq}`}>
      <header class="rb-log-details-head">
        <h3 class="rb-settings-title">{kindLabel(row.kind)}</h3>
        <Button
          label={isCopied ? "Copied" : "Copy details"}
          icon={isCopied ? "check" : "copy"}
          isIconOnly
          kind="quiet"
          isDisabled={json === null}
          onClick={async () => setIsCopied(await copy(json ?? ""))}
        />
        <Button label="Close details" icon="close" isIconOnly kind="quiet" onClick={onClose} />
      </header>
      <div class="rb-log-details-body">
        <dl class="rb-facts">
          <Fact name="Number" value={String(row.seq)} />
          <Fact name="Time" value={`${new Date(row.time).toLocaleDateString()} ${preciseTime(row.time)}`} />
          <Fact name="Priority" value={priorityLabel(row.priority)} />
          <Fact name="State" value={row.state?.replaceAll("_", " ") ?? ""} />
          <Fact name="Took" value={span(row.duration_s)} />
          <Fact name="Turn" value={turn ?? ""}>
            <Button
              label="Show only this turn"
              class="rb-log-link"
              kind="quiet"
              onClick={() => turn && onOnlyTurn(turn)}
            />
          </Fact>
          <Fact name="Summary" value={row.summary} />
        </dl>
        {error && <p class="rb-field-error">{error}</p>}
        {json === null && !error && <p class="rb-field-help">Asking for the details…</p>}
        {json !== null && (
          <pre class="rb-log-json">
            {json.length > MOST_SHOWN ? `${json.slice(0, MOST_SHOWN)}\n… (Copy takes all of it)` : json}
          </pre>
        )}
      </div>
    </section>
  );
}

function Fact({ name, value, children }: { name: string; value: string; children?: ComponentChildren }) {
  if (value === "") return null;
  return (
    <>
      <dt>{name}</dt>
      <dd>
        <bdi>{value}</bdi> {children}
      </dd>
    </>
  );
}

function useEventData(store: Store, seq: number): { json: string | null; error: string } {
  const [found, setFound] = useState<{ json: string | null; error: string }>({ json: null, error: "" });
  useEffect(() => {
    let isCurrent = true;
    setFound({ json: null, error: "" });
    store.command("event", { seq }).then(
      ({ data }) => isCurrent && setFound({ json: JSON.stringify(data, null, 2), error: "" }),
      (error: Error) => isCurrent && setFound({ json: null, error: error.message }),
    );
    return () => {
      isCurrent = false;
    };
  }, [store, seq]);
  return found;
}
