import { useEffect, useState } from "preact/hooks";
import { Button } from "./Button";
import { copy } from "./clipboard";

const SAID_FOR_MS = 2000;

/** Copies `text` and says so for a moment. */
export function CopyButton({ label, text }: { label: string; text: string }) {
  const [outcome, setOutcome] = useState<boolean | null>(null);
  useEffect(() => {
    if (outcome === null) return;
    const timer = setTimeout(() => setOutcome(null), SAID_FOR_MS);
    return () => clearTimeout(timer);
  }, [outcome]);
  const hint = outcome === null ? label : outcome ? "Copied" : "Copying was refused";
  return (
    <Button
      label={hint}
      icon={outcome === null ? "copy" : outcome ? "check" : "error"}
      isIconOnly
      kind="quiet"
      onClick={async () => setOutcome(await copy(text))}
    />
  );
}
