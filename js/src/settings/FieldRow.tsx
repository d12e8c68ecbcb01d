/** One setting: label, where its value comes from, the control, help, and what is wrong with it. */

import type { FieldView } from "../protocol";
import { Button } from "../ui/Button";
import { Control } from "./controls";
import { isChange, isDefault } from "./fields";
import type { SettingsForm } from "./form";
import type { ModelSearch } from "./models";
import { OriginTag } from "./OriginTag";

interface FieldRowProps {
  id: string;
  field: FieldView;
  form: SettingsForm;
  models: ModelSearch;
}

export function FieldRow({ id, field, form, models }: FieldRowProps) {
  const edit = form.shown(field);
  const error = form.error(field);
  const isUnsaved = form.edits.value.has(field.name) && isChange(field, edit);
  const describedBy =
    [field.help && `${id}-help`, error && `${id}-error`].filter(Boolean).join(" ") || undefined;
  return (
    <div class="rb-setting" data-field={field.name} data-unsaved={isUnsaved}>
      <div class="rb-setting-head">
        <label class="rb-field-label" for={id} id={`${id}-label`}>
          {field.label}
        </label>
        {isUnsaved ? <span class="rb-origin rb-origin-unsaved">unsaved</span> : <OriginTag field={field} />}
        <span class="rb-setting-actions">
          {isUnsaved && (
            <Button
              label={`Undo the change of ${field.label}`}
              hint="Undo this change"
              icon="close"
              isIconOnly
              kind="quiet"
              onClick={() => form.revert(field.name)}
            />
          )}
          {!isDefault(field, edit) && (
            <Button
              label={`Reset ${field.label} to its default`}
              hint={`Reset to default: ${defaultText(field)}`}
              icon="retry"
              isIconOnly
              kind="quiet"
              onClick={() => form.reset(field)}
            />
          )}
        </span>
      </div>
      <div class="rb-setting-body">
        <Control
          id={id}
          field={field}
          edit={edit}
          isInvalid={error !== undefined}
          describedBy={describedBy}
          models={models}
          onEdit={(next) => form.edit(field.name, next)}
        />
        {error && (
          <div class="rb-field-error" id={`${id}-error`} role="alert">
            {error}
          </div>
        )}
        {field.layer === "environment" && isUnsaved && (
          <div class="rb-field-help">
            {field.where || "An environment variable"} sets this: “Use now” wins over it, a saved value does
            not.
          </div>
        )}
        {field.help && (
          <div class="rb-field-help" id={`${id}-help`}>
            {field.help}
          </div>
        )}
      </div>
    </div>
  );
}

function defaultText(field: FieldView): string {
  if (field.default === null) return "not set";
  const text = typeof field.default === "string" ? field.default : JSON.stringify(field.default);
  return text.length > 60 ? `${text.slice(0, 59)}…` : text || "empty";
}
