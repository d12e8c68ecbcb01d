import type { ComponentChildren } from "preact";

interface BadgeProps {
  tone?: "neutral" | "busy" | "good" | "warning" | "error";
  hint?: string;
  children: ComponentChildren;
}

export function Badge({ tone = "neutral", hint, children }: BadgeProps) {
  return (
    <span class={`rb-badge rb-badge-${tone}`} title={hint}>
      {children}
    </span>
  );
}
