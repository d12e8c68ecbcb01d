/** The key for the server in use: it can be given and forgotten here, and is never shown. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { KeyView } from "../protocol";
import type { Store } from "../state/store";
import { Badge } from "../ui/Badge";
import { Button } from "../ui/Button";
import { TextField } from "../ui/fields";
import type { View } from "../view";
import type { Outcome, SettingsForm } from "./form";

type Place = "memory" | "keyring" | "file";

interface KeySectionProps {
  keyView: KeyView;
  store: Store;
  view: View;
  form: SettingsForm;
}

/** Where it came from cannot be changed from here. */
const OUTSIDE: ReadonlySet<string> = new Set(["OPENROUTER_API_KEY", "RUSTBOT_API_KEY", ".env"]);

export function KeySection({ keyView, store, view, form }: KeySectionProps) {
  const id = `${view.id}-key`;
  const input = useRef<HTMLInputElement>(null);
  const key = form.typedKey.value;
  const setKey = (text: string) => {
    form.typedKey.value = text;
  };
  const [place, setPlace] = useState<Place>("memory");
  const [isBusy, setIsBusy] = useState(false);
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const requests = view.keyFocusRequests.value;

  useEffect(() => {
    if (requests === view.answeredKeyRequests) return;
    view.answeredKeyRequests = requests;
    input.current?.scrollIntoView?.({ block: "center" });
    input.current?.focus();
  }, [requests]);

  const run = async (work: () => Promise<unknown>, done: string) => {
    if (isBusy) return;
    setIsBusy(true);
    setOutcome(null);
    try {
      await work();
      setKey("");
      setOutcome({ isOk: true, text: done });
    } catch (error) {
      setOutcome({ isOk: false, text: error instanceof Error ? error.message : String(error) });
    }
    setIsBusy(false);
  };
  const give = () => {
    if (key.trim() === "") return;
    run(() => store.command("set_key", { key: key.trim(), remember: place }), DONE[place]);
  };
  const forget = () => run(() => store.command("forget_key", {}), "Forgotten.");

  return (
    <form
      class="rb-key"
      onSubmit={(event) => {
        event.preventDefault();
        give();
      }}
    >
      <div class="rb-setting">
        <div class="rb-setting-head">
          <label class="rb-field-label" for={id}>
            API key
          </label>
        </div>
        <div class="rb-setting-body">
          <div class="rb-row rb-key-state">
            <Badge tone={keyView.present ? "good" : "neutral"}>{presence(keyView)}</Badge>
            {keyView.present && !OUTSIDE.has(keyView.source) && (
              <Button label="Forget key" icon="trash" kind="quiet" isDisabled={isBusy} onClick={forget} />
            )}
          </div>
          <div class="rb-row">
            <div class="rb-grow">
              <TextField
                id={id}
                type="password"
                value={key}
                placeholder={keyView.present ? "Another key" : "Paste a key"}
                inputRef={input}
                describedBy={`${id}-help`}
                isInvalid={outcome !== null && !outcome.isOk}
                onInput={setKey}
              />
            </div>
            <Button label="Use key" kind="primary" isDisabled={isBusy || key.trim() === ""} onClick={give} />
          </div>
          {outcome && (
            <div
              class={outcome.isOk ? "rb-field-good" : "rb-field-error"}
              role={outcome.isOk ? "status" : "alert"}
            >
              {outcome.text}
            </div>
          )}
          <div class="rb-field-help" id={`${id}-help`}>
            Sent to <strong class="rb-host">{keyView.host || "this server"}</strong> only, and never shown
            again.
            {OUTSIDE.has(keyView.source) &&
              ` The present one stands in ${keyView.source}; remove it there to forget it.`}
          </div>
          <KeepChoice id={id} place={place} canUseKeyring={keyView.can_use_keyring} onChange={setPlace} />
        </div>
      </div>
    </form>
  );
}

interface KeepChoiceProps {
  id: string;
  place: Place;
  canUseKeyring: boolean;
  onChange(place: Place): void;
}

function KeepChoice({ id, place, canUseKeyring, onChange }: KeepChoiceProps) {
  const places = PLACES.filter((each) => each.id !== "keyring" || canUseKeyring);
  return (
    <fieldset class="rb-choices">
      <legend class="rb-field-help">Keep it</legend>
      {places.map((each) => (
        <label key={each.id} class="rb-choice">
          <input
            type="radio"
            name={`${id}-place`}
            value={each.id}
            checked={place === each.id}
            onChange={() => onChange(each.id)}
          />
          <span>
            {each.label} <span class="rb-field-help">{each.help}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

const PLACES: readonly { id: Place; label: string; help: string }[] = [
  { id: "memory", label: "In memory", help: "until this kernel ends" },
  { id: "keyring", label: "In the system keyring", help: "also for later kernels" },
  { id: "file", label: "In a private file", help: "not encrypted; only your user can read it" },
];

const DONE: Record<Place, string> = {
  memory: "In use until this kernel ends.",
  keyring: "In use, and kept in the keyring.",
  file: "In use, and kept in a private file.",
};

function presence({ present, source, host }: KeyView): string {
  if (!present) return host ? `No key for ${host}` : "No key";
  return `A key is in use, from ${SOURCES[source] ?? source}`;
}

const SOURCES: Record<string, string> = {
  file: "the private file",
  keyring: "the keyring",
  "settings tab": "this tab",
  argument: "the argument api_key",
};
