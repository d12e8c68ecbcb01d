/** The form control for each type of setting. */

import { Select, TextField, Toggle } from "../ui/fields";
import { type ControlProps, MODEL_FIELDS, unsetText } from "./control";
import { isOptional, tableExample } from "./fields";
import { ListControl } from "./ListControl";
import { ModelInput } from "./ModelInput";

export function Control(props: ControlProps) {
  const { field } = props;
  switch (field.type) {
    case "boolean":
      return <BooleanControl {...props} />;
    case "choice":
      return <ChoiceControl {...props} />;
    case "number":
    case "integer":
      return <NumberControl {...props} />;
    case "list":
      return <ListControl {...props} />;
    case "text":
      return <TextControl {...props} rows={rowsFor(String(props.edit ?? ""))} />;
    case "table":
      return <TextControl {...props} rows={3} isCode />;
    default:
      return MODEL_FIELDS.has(field.name) ? <ModelInput {...props} /> : <StringControl {...props} />;
  }
}

function BooleanControl({ id, edit, describedBy, onEdit }: ControlProps) {
  return <Toggle id={id} isOn={edit === true} describedBy={describedBy} onChange={onEdit} />;
}

function ChoiceControl({ id, field, edit, describedBy, onEdit }: ControlProps) {
  const unset = isOptional(field) ? [{ value: "", label: unsetText(field) }] : [];
  return (
    <Select
      id={id}
      value={String(edit ?? "")}
      options={[...unset, ...field.choices]}
      describedBy={describedBy}
      onChange={(value) => onEdit(value === "" ? null : value)}
    />
  );
}

/** A text input on purpose: a number input hides what it cannot read, and changes when the wheel turns. */
function NumberControl({ id, field, edit, isInvalid, describedBy, onEdit }: ControlProps) {
  return (
    <div class="rb-number">
      <input
        id={id}
        class="rb-input"
        type="text"
        inputMode={field.type === "integer" ? "numeric" : "decimal"}
        value={String(edit ?? "")}
        placeholder={unsetText(field)}
        aria-invalid={isInvalid}
        aria-describedby={describedBy}
        autocomplete="off"
        onInput={(event) => onEdit(event.currentTarget.value)}
      />
      {field.unit && <span class="rb-unit">{field.unit}</span>}
    </div>
  );
}

function StringControl({ id, field, edit, isInvalid, describedBy, onEdit }: ControlProps) {
  return (
    <TextField
      id={id}
      value={String(edit ?? "")}
      placeholder={unsetText(field)}
      isInvalid={isInvalid}
      describedBy={describedBy}
      onInput={onEdit}
    />
  );
}

function TextControl(props: ControlProps & { rows: number; isCode?: boolean }) {
  const { id, field, edit, isInvalid, describedBy, onEdit } = props;
  return (
    <textarea
      id={id}
      class={`rb-input rb-textarea ${props.isCode ? "rb-textarea-code" : ""}`}
      rows={props.rows}
      value={String(edit ?? "")}
      placeholder={props.isCode ? tableExample(field) : unsetText(field)}
      aria-invalid={isInvalid}
      aria-describedby={describedBy}
      spellcheck={!props.isCode}
      onInput={(event) => onEdit(event.currentTarget.value)}
    />
  );
}

/** Tall enough for what it holds when it is opened; from then on the user's to resize. */
const rowsFor = (text: string): number => Math.min(10, Math.max(3, text.split("\n").length + 1));
