/** What the controls of all types of setting have in common. */

import type { FieldView } from "../protocol";
import { type Edit, isOptional } from "./fields";
import type { ModelSearch } from "./models";

export interface ControlProps {
  id: string;
  field: FieldView;
  edit: Edit;
  isInvalid: boolean;
  describedBy: string | undefined;
  models: ModelSearch;
  onEdit(edit: Edit): void;
}

/** Settings whose values are names of models. */
export const MODEL_FIELDS: ReadonlySet<string> = new Set(["model", "fallback_models"]);

const LEFT_TO_PROVIDER: ReadonlySet<string> = new Set([
  "temperature",
  "top_p",
  "max_tokens",
  "reasoning_effort",
  "seed",
]);

/** What an empty field means. */
export function unsetText(field: FieldView): string {
  if (!isOptional(field)) return "";
  if (LEFT_TO_PROVIDER.has(field.name)) return "Provider default";
  return field.unit === "US dollars" ? "No cap" : "Not set";
}
