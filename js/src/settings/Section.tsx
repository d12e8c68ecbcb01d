import type { ComponentChildren } from "preact";

interface SectionProps {
  id: string;
  title: string;
  children: ComponentChildren;
}

export function Section({ id, title, children }: SectionProps) {
  return (
    <section class="rb-settings-group" aria-labelledby={id}>
      <h3 class="rb-settings-title" id={id}>
        {title}
      </h3>
      {children}
    </section>
  );
}
