/** At the bottom of the tab while there is something to keep or to throw away. */

import type { SettingsView } from "../protocol";
import { Button } from "../ui/Button";
import type { SettingsForm } from "./form";

interface SaveBarProps {
  settings: SettingsView;
  form: SettingsForm;
  /** The user wants to save, but a field cannot be read. */
  onShowError(): void;
}

export function SaveBar({ settings, form, onShowError }: SaveBarProps) {
  const changed = form.changed();
  const invalid = changed.filter((field) => form.error(field) !== undefined);
  const temporary = settings.fields.filter((field) => field.layer === "session");
  const outcome = form.outcome.value;
  if (changed.length === 0 && temporary.length === 0 && !outcome) return null;
  const save = (persist: boolean) => (invalid.length > 0 ? onShowError() : form.save(persist));
  return (
    <div class="rb-savebar" data-unsaved={changed.length}>
      <div class="rb-savebar-text" role="status">
        {outcome && <span class={outcome.isOk ? "rb-field-good" : "rb-field-error"}>{outcome.text}</span>}
        {!outcome && changed.length > 0 && (
          <span title={labels(changed)}>{countText(changed.length, invalid.length)}</span>
        )}
        {!(outcome && !outcome.isOk) && changed.length === 0 && temporary.length > 0 && (
          <span class="rb-field-help">For this session only: {labels(temporary)}.</span>
        )}
      </div>
      <div class="rb-row rb-savebar-buttons">
        {changed.length > 0 && (
          <>
            <Button
              label="Discard"
              kind="quiet"
              isDisabled={form.isBusy.value}
              onClick={() => form.discard()}
            />
            <Button
              label="Use now"
              hint="Holds until the kernel ends"
              isDisabled={form.isBusy.value}
              onClick={() => save(false)}
            />
          </>
        )}
        {(changed.length > 0 || temporary.length > 0) && (
          <Button
            label="Save"
            kind="primary"
            hint={settings.path && `Writes ${settings.path}`}
            isDisabled={form.isBusy.value}
            onClick={() => save(true)}
          />
        )}
      </div>
    </div>
  );
}

const labels = (fields: readonly { label: string }[]): string =>
  fields.map((field) => field.label).join(", ");

function countText(changed: number, invalid: number): string {
  if (invalid > 0)
    return invalid === 1 ? "One field needs a correction" : `${invalid} fields need a correction`;
  return changed === 1 ? "1 unsaved change" : `${changed} unsaved changes`;
}
