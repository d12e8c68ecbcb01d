import type { ComponentChildren } from "preact";
import { Button } from "./Button";
import { Icon } from "./Icon";

interface BannerProps {
  level: "info" | "warning" | "error";
  children: ComponentChildren;
  onDismiss?: () => void;
}

export function Banner({ level, children, onDismiss }: BannerProps) {
  return (
    <div class={`rb-banner rb-banner-${level}`} role={level === "error" ? "alert" : "status"}>
      <Icon name={level} />
      <div class="rb-banner-text">{children}</div>
      {onDismiss && <Button label="Dismiss" icon="close" isIconOnly kind="quiet" onClick={onDismiss} />}
    </div>
  );
}
