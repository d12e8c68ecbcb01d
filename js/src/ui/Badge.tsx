import type { ComponentChildren } from "preact";

type Tone = "neutral" | "busy" | "good" | "warning" | "error";

export function Badge({ tone = "neutral", children }: { tone?: Tone; children: ComponentChildren }) {
  return <span class={`rb-badge rb-badge-${tone}`}>{children}</span>;
}
