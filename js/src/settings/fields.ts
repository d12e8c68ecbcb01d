/** Between a setting's value and what stands in its form field; pure. */

import type { FieldView } from "../protocol";
import { count } from "../ui/format";

/** What a form field holds: text as typed, a switch, a list; null is "not set". */
export type Edit = string | boolean | null | readonly string[];

/** The value to send, or one sentence that says why there is none. */
export type Reading = { value: unknown } | { error: string };

const TABLE_EXAMPLES: Readonly<Record<string, string>> = {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the kernel replaces it.
  headers: '{"api-key": "${AZURE_KEY}"}',
  query: '{"api-version": "2024-10-21"}',
};

export const tableExample = (field: FieldView): string => TABLE_EXAMPLES[field.name] ?? '{"sort": "price"}';

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** The protocol has no word for it: a setting that may be unset is unset by default. */
export const isOptional = (field: FieldView): boolean => field.default === null;

/** The form of `value`, normally the field's own. */
export function toEdit(field: FieldView, value: unknown = field.value): Edit {
  if (field.type === "boolean") return Boolean(value);
  if (field.type === "list") return Array.isArray(value) ? value.map(String) : [];
  if (field.type === "table") return isEmptyTable(value) ? "" : JSON.stringify(value, null, 2);
  return value === null || value === undefined ? null : String(value);
}

export function readEdit(field: FieldView, edit: Edit): Reading {
  switch (field.type) {
    case "boolean":
      return { value: Boolean(edit) };
    case "list":
      return readList(field, Array.isArray(edit) ? edit : []);
    case "table":
      return readTable(field, String(edit ?? ""));
    case "number":
    case "integer":
      return readNumber(field, String(edit ?? "").trim());
    case "string":
      return readString(field, String(edit ?? "").trim());
    case "choice":
      return edit === null && !isOptional(field) ? { error: "Choose one." } : { value: edit };
    case "text":
      return readText(field, String(edit ?? ""));
  }
}

/** Whether saving the edit would change the setting. */
export function isChange(field: FieldView, edit: Edit): boolean {
  const reading = readEdit(field, edit);
  return "error" in reading || !isSame(reading.value, field.value);
}

export const isDefault = (field: FieldView, edit: Edit): boolean => {
  const reading = readEdit(field, edit);
  return "value" in reading && isSame(reading.value, field.default);
};

/** The sentence for a number that does not fit, also good as a hint: "Enter a number of seconds from 0 to 9." */
export function expectedNumber(field: FieldView): string {
  const what = field.type === "integer" ? "a whole number" : "a number";
  const unit = field.unit && !["share", "times"].includes(field.unit) ? ` of ${field.unit}` : "";
  const { minimum: low, maximum: high } = field;
  if (low !== null && high !== null) return `Enter ${what}${unit} from ${shown(low)} to ${shown(high)}.`;
  if (low !== null) return `Enter ${what}${unit}, at least ${shown(low)}.`;
  if (high !== null) return `Enter ${what}${unit}, at most ${shown(high)}.`;
  return `Enter ${what}${unit}.`;
}

function readNumber(field: FieldView, text: string): Reading {
  if (text === "") return isOptional(field) ? { value: null } : { error: expectedNumber(field) };
  const value = NUMBER.test(text) ? Number(text) : Number.NaN;
  const isKind = field.type === "integer" ? Number.isInteger(value) : Number.isFinite(value);
  const isInRange = value >= (field.minimum ?? -Infinity) && value <= (field.maximum ?? Infinity);
  return isKind && isInRange ? { value } : { error: expectedNumber(field) };
}

function readString(field: FieldView, text: string): Reading {
  if (text !== "") return { value: text };
  if (isOptional(field)) return { value: null };
  return field.default === "" ? { value: "" } : { error: `${field.label} cannot be empty.` };
}

function readText(field: FieldView, text: string): Reading {
  if (text === "" && isOptional(field)) return { value: null };
  const limit = field.maximum ?? Infinity;
  // The kernel counts characters, not UTF-16 halves; only a long text is worth the count.
  const length = text.length > limit ? Array.from(text).length : text.length;
  return length > limit
    ? { error: `Keep it to ${shown(limit)} characters; it has ${shown(length)}.` }
    : { value: text };
}

function readList(field: FieldView, items: readonly string[]): Reading {
  const value = items.map((item) => item.trim()).filter((item) => item !== "");
  const limit = field.maximum ?? Infinity;
  return value.length > limit ? { error: `Keep at most ${shown(limit)}.` } : { value };
}

function readTable(field: FieldView, text: string): Reading {
  if (text.trim() === "") return { value: isOptional(field) ? null : {} };
  const error = `Enter a JSON object, such as ${tableExample(field)}.`;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { value } : { error };
  } catch {
    return { error };
  }
}

const isEmptyTable = (value: unknown): boolean =>
  typeof value !== "object" || value === null || Object.keys(value).length === 0;

/** Big limits are easier to read with separators, small ones must keep their digits. */
const shown = (value: number): string => (Number.isInteger(value) ? count(value) : String(value));

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value ?? null;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}
