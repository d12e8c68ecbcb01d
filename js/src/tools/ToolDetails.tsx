// biome-ignore-all lint/a11y/noNoninteractiveTabindex: what scrolls must scroll by keyboard, too
// biome-ignore-all lint/a11y/useSemanticElements: a fieldset is for fields
import { useState } from "preact/hooks";
import type { ToolRunView } from "../protocol";
import { Button } from "../ui/Button";
import { CopyButton } from "../ui/CopyButton";
import { spelled } from "../ui/hidden";
import { Inert } from "../ui/Inert";
import { split } from "../ui/parts";
import { Output } from "./Output";
import type { ToolActions } from "./ToolCards";
import { sourceLabel } from "./words";

interface ToolDetailsProps {
  run: ToolRunView;
  actions: ToolActions;
}

/** Arguments, output and result of a call. */
export function ToolDetails({ run, actions }: ToolDetailsProps) {
  const [whole, setWhole] = useState<{ arguments: string; result: string } | null>(null);
  const [isAsking, setAsking] = useState(false);
  const shown = whole ?? run;
  const showAll = async () => {
    setAsking(true);
    setWhole(await actions.wholeRun(run.id));
    setAsking(false);
  };
  return (
    <div class="rb-tool-body">
      <p class="rb-tool-facts">
        {[sourceLabel(run.source), run.approval].filter(Boolean).map(spelled).join(" · ")}
      </p>
      <Passage title="Arguments" text={shown.arguments} />
      {run.output !== "" && (
        <div class="rb-tool-passage">
          <div class="rb-tool-title">Output</div>
          <Output text={run.output} length={run.output_length} />
        </div>
      )}
      {shown.result !== "" && <Passage title="Result" text={shown.result} />}
      {whole === null && isCut(run) && (
        <Button label="Show all" kind="quiet" isDisabled={isAsking} onClick={showAll} />
      )}
    </div>
  );
}

/** Cut arguments are no JSON any more. */
function isCut(run: ToolRunView): boolean {
  if (run.result_is_cut) return true;
  try {
    JSON.parse(run.arguments);
    return false;
  } catch {
    return run.arguments !== "";
  }
}

function Passage({ title, text }: { title: string; text: string }) {
  return (
    <div class="rb-tool-passage">
      <div class="rb-tool-title">
        {title}
        <CopyButton label={`Copy ${title.toLowerCase()}`} text={text} />
      </div>
      <div class="rb-tool-text" tabIndex={0} role="group" aria-label={title}>
        {split(text).map((part, index) => (
          <pre class="rb-tool-part" key={index}>
            <Inert text={part} />
          </pre>
        ))}
      </div>
    </div>
  );
}
