/** Labelled form fields; each `id` must be unique in the page. */

import { type ComponentChildren, type Ref, type TargetedInputEvent, toChildArray } from "preact";

interface FieldProps {
  id: string;
  label: string;
  help?: ComponentChildren;
  error?: string;
  children: ComponentChildren;
}

/** A label above, help and error below whatever is inside. */
export function Field({ id, label, help, error, children }: FieldProps) {
  return (
    <div class="rb-field">
      <label class="rb-field-label" for={id}>
        {label}
      </label>
      {children}
      {toChildArray(help).length > 0 && (
        <div class="rb-field-help" id={`${id}-help`}>
          {help}
        </div>
      )}
      {error && (
        <div class="rb-field-error" id={`${id}-error`} role="alert">
          {error}
        </div>
      )}
    </div>
  );
}

interface TextFieldProps {
  id: string;
  value: string;
  type?: "text" | "password" | "number" | "search";
  placeholder?: string;
  isDisabled?: boolean;
  isInvalid?: boolean;
  describedBy?: string;
  min?: number;
  max?: number;
  step?: number | "any";
  inputRef?: Ref<HTMLInputElement>;
  onInput(value: string): void;
}

export function TextField(props: TextFieldProps) {
  // Preact's types want the kind of input as a literal.
  const type = (props.type ?? "text") as "text";
  return (
    <input
      ref={props.inputRef}
      id={props.id}
      class="rb-input"
      type={type}
      value={props.value}
      placeholder={props.placeholder}
      disabled={props.isDisabled}
      aria-invalid={props.isInvalid}
      aria-describedby={props.describedBy}
      min={props.min}
      max={props.max}
      step={props.step}
      autocomplete="off"
      spellcheck={false}
      onInput={(event: TargetedInputEvent<HTMLInputElement>) => props.onInput(event.currentTarget.value)}
    />
  );
}

interface SelectProps {
  id: string;
  value: string;
  options: readonly (string | { value: string; label: string })[];
  isDisabled?: boolean;
  describedBy?: string;
  label?: string;
  onChange(value: string): void;
}

export function Select(props: SelectProps) {
  return (
    <select
      id={props.id}
      class="rb-input rb-select"
      value={props.value}
      disabled={props.isDisabled}
      aria-label={props.label}
      aria-describedby={props.describedBy}
      onChange={(event) => props.onChange(event.currentTarget.value)}
    >
      {props.options.map((option) => {
        const { value, label } = typeof option === "string" ? { value: option, label: option } : option;
        return (
          <option key={value} value={value}>
            {label}
          </option>
        );
      })}
    </select>
  );
}

interface ToggleProps {
  id?: string;
  isOn: boolean;
  isDisabled?: boolean;
  describedBy?: string;
  label?: string;
  onChange(isOn: boolean): void;
}

export function Toggle(props: ToggleProps) {
  return (
    <input
      id={props.id}
      class="rb-toggle"
      type="checkbox"
      role="switch"
      aria-checked={props.isOn}
      checked={props.isOn}
      disabled={props.isDisabled}
      aria-label={props.label}
      aria-describedby={props.describedBy}
      onChange={(event) => props.onChange(event.currentTarget.checked)}
    />
  );
}
