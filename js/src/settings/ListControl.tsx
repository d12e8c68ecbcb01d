/** A list of texts in an order that matters: add, remove, move up and down. */

import { useState } from "preact/hooks";
import { Button } from "../ui/Button";
import { TextField } from "../ui/fields";
import { type ControlProps, MODEL_FIELDS } from "./control";
import { ModelCombobox } from "./ModelInput";

export function ListControl(props: ControlProps) {
  const { id, field, describedBy, onEdit } = props;
  const items = Array.isArray(props.edit) ? (props.edit as readonly string[]) : [];
  const [text, setText] = useState("");
  const isFull = field.maximum !== null && items.length >= field.maximum;
  const add = (item: string) => {
    const trimmed = item.trim();
    if (trimmed === "") return;
    setText("");
    if (!items.includes(trimmed)) onEdit([...items, trimmed]);
  };
  const move = (from: number, to: number) =>
    onEdit(items.with(from, items[to] ?? "").with(to, items[from] ?? ""));

  return (
    <div class="rb-list">
      {items.length > 0 && (
        <ol class="rb-list-items" aria-labelledby={`${id}-label`}>
          {items.map((item, index) => (
            <li key={item} class="rb-list-item">
              <span class="rb-list-text">{item}</span>
              <Button
                label={`Move ${item} up`}
                icon="up"
                isIconOnly
                kind="quiet"
                isDisabled={index === 0}
                onClick={() => move(index, index - 1)}
              />
              <Button
                label={`Move ${item} down`}
                icon="down"
                isIconOnly
                kind="quiet"
                isDisabled={index === items.length - 1}
                onClick={() => move(index, index + 1)}
              />
              <Button
                label={`Remove ${item}`}
                icon="close"
                isIconOnly
                kind="quiet"
                onClick={() => onEdit(items.toSpliced(index, 1))}
              />
            </li>
          ))}
        </ol>
      )}
      {isFull ? (
        <span class="rb-field-help">No more than {field.maximum} can be given.</span>
      ) : (
        <div class="rb-list-add">
          {MODEL_FIELDS.has(field.name) ? (
            <ModelCombobox
              id={id}
              text={text}
              placeholder="Add a model"
              describedBy={describedBy}
              search={props.models}
              onInput={setText}
              onPick={add}
            />
          ) : (
            <form
              class="rb-grow"
              onSubmit={(event) => {
                event.preventDefault();
                add(text);
              }}
            >
              <TextField
                id={id}
                value={text}
                placeholder="Add a text"
                describedBy={describedBy}
                onInput={setText}
              />
            </form>
          )}
          <Button label={`Add to ${field.label}`} isDisabled={text.trim() === ""} onClick={() => add(text)}>
            Add
          </Button>
        </div>
      )}
    </div>
  );
}
