import type { ComponentChildren, TargetedMouseEvent } from "preact";
import { Icon, type IconName } from "./Icon";

type Kind = "primary" | "plain" | "quiet" | "danger";

export interface ButtonProps {
  /** The accessible name; shown as text unless `isIconOnly`. */
  label: string;
  icon?: IconName;
  isIconOnly?: boolean;
  kind?: Kind;
  isDisabled?: boolean;
  isPressed?: boolean;
  hint?: string;
  class?: string;
  onClick(event: TargetedMouseEvent<HTMLButtonElement>): void;
  children?: ComponentChildren;
}

export function Button(props: ButtonProps) {
  const { label, icon, isIconOnly = false, kind = "plain", isDisabled = false } = props;
  return (
    <button
      type="button"
      class={`rb-button rb-button-${kind} ${isIconOnly ? "rb-button-icon" : ""} ${props.class ?? ""}`}
      aria-label={label}
      aria-pressed={props.isPressed}
      title={props.hint ?? (isIconOnly ? label : undefined)}
      disabled={isDisabled}
      onClick={props.onClick}
    >
      {icon && <Icon name={icon} />}
      {!isIconOnly && <span>{props.children ?? label}</span>}
    </button>
  );
}
