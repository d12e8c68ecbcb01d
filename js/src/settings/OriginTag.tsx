import type { FieldView, SettingsLayer } from "../protocol";

const LABELS: Record<SettingsLayer, string> = {
  default: "default",
  file: "file",
  profile: "profile",
  environment: "environment",
  session: "this session",
};

/** Which layer gave the value; the place itself is in the tooltip. */
export function OriginTag({ field }: { field: FieldView }) {
  const place = field.where && field.layer !== "default" ? `: ${field.where}` : "";
  const label = LABELS[field.layer] ?? field.layer;
  return (
    <span
      class={`rb-origin rb-origin-${LABELS[field.layer] ? field.layer : "other"}`}
      title={`Set by ${label}${place}`}
    >
      <span class="rb-sr-only">Set by </span>
      {label}
      <span class="rb-sr-only">{place}</span>
    </span>
  );
}
