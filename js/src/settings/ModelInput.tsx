/** A text field that suggests the names of models: any name may be typed, a known one is a click away. */

import type { TargetedKeyboardEvent } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { ModelChoice } from "../protocol";
import { type ControlProps, unsetText } from "./control";
import { type ModelSearch, modelFacts, useModels } from "./models";

export function ModelInput({ id, field, edit, isInvalid, describedBy, models, onEdit }: ControlProps) {
  return (
    <ModelCombobox
      id={id}
      text={String(edit ?? "")}
      placeholder={unsetText(field)}
      isInvalid={isInvalid}
      describedBy={describedBy}
      search={models}
      onInput={onEdit}
      onPick={onEdit}
    />
  );
}

interface ModelComboboxProps {
  id: string;
  text: string;
  placeholder: string;
  label?: string;
  isInvalid?: boolean;
  describedBy?: string | undefined;
  search: ModelSearch;
  onInput(text: string): void;
  /** A suggestion was taken, or Enter pressed on what was typed. */
  onPick(id: string): void;
}

export function ModelCombobox(props: ModelComboboxProps) {
  const { id, text } = props;
  const root = useRef<HTMLDivElement>(null);
  const [isOpen, setIsOpen] = useState(false);
  const [words, setWords] = useState("");
  const { isAsking, models, error } = useModels(props.search, words, isOpen);
  // Belongs to the models it was chosen among: other models, no choice.
  const [choice, setChoice] = useState({ models, index: -1 });
  const active = choice.models === models ? choice.index : -1;

  useEffect(() => {
    root.current?.querySelector('[aria-selected="true"]')?.scrollIntoView?.({ block: "nearest" });
  }, [active]);

  const open = (nextWords: string) => {
    setWords(nextWords);
    setIsOpen(true);
  };
  const pick = (model: string) => {
    setIsOpen(false);
    props.onPick(model);
  };
  const onKeyDown = (event: TargetedKeyboardEvent<HTMLInputElement>) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      // All models at first: what stands in the field is the choice, not a search.
      if (!isOpen) return open("");
      const step = event.key === "ArrowDown" ? 1 : -1;
      const from = active < 0 && step < 0 ? 0 : active;
      if (models.length > 0) setChoice({ models, index: (from + step + models.length) % models.length });
    } else if (event.key === "Enter") {
      event.preventDefault();
      pick(models[active]?.id ?? text);
    } else if (event.key === "Escape" && isOpen) {
      event.stopPropagation();
      setIsOpen(false);
    }
  };

  return (
    <div class="rb-combobox" ref={root}>
      <input
        id={id}
        class="rb-input"
        type="text"
        role="combobox"
        aria-label={props.label}
        aria-expanded={isOpen}
        aria-controls={`${id}-models`}
        aria-autocomplete="list"
        aria-activedescendant={isOpen && active >= 0 ? `${id}-model-${active}` : undefined}
        aria-invalid={props.isInvalid}
        aria-describedby={props.describedBy}
        autocomplete="off"
        spellcheck={false}
        value={text}
        placeholder={props.placeholder}
        onClick={() => open("")}
        onInput={(event) => {
          props.onInput(event.currentTarget.value);
          open(event.currentTarget.value);
        }}
        onKeyDown={onKeyDown}
        onBlur={() => setIsOpen(false)}
      />
      {isOpen && (
        <div class="rb-options" id={`${id}-models`} role="listbox" aria-label="Models">
          {models.map((model, index) => (
            <ModelOption
              key={model.id}
              id={`${id}-model-${index}`}
              model={model}
              isActive={index === active}
              onPick={() => pick(model.id)}
            />
          ))}
          {models.length === 0 && (
            <div class="rb-options-note" role="presentation">
              {error ||
                (isAsking ? "Looking for models…" : "No model of that name is known; it is used as typed.")}
            </div>
          )}
        </div>
      )}
    </div>
  );
}

interface ModelOptionProps {
  id: string;
  model: ModelChoice;
  isActive: boolean;
  onPick(): void;
}

function ModelOption({ id, model, isActive, onPick }: ModelOptionProps) {
  return (
    <div
      id={id}
      class="rb-option"
      role="option"
      tabIndex={-1}
      aria-selected={isActive}
      // Before the field loses the focus, which would close the list.
      onMouseDown={(event) => {
        event.preventDefault();
        onPick();
      }}
    >
      <span class="rb-option-name">{model.id}</span>
      <span class="rb-option-facts">{modelFacts(model)}</span>
    </div>
  );
}
