import { useState } from "preact/hooks";
import type { ToolView } from "../../protocol";
import { riskIcon, riskWords, sourceLabel } from "../../tools/words";
import { Toggle } from "../../ui/fields";
import { spelled } from "../../ui/hidden";
import { Icon } from "../../ui/Icon";
import { Inert } from "../../ui/Inert";
import type { Run } from "./ToolSections";

/** All tools, by who brought them. */
export function ToolList({ tools, run }: { tools: readonly ToolView[]; run: Run }) {
  if (tools.length === 0) return <p class="rb-field-help">There are no tools.</p>;
  return (
    <>
      {bySource(tools).map(([source, group], index) => (
        <details key={source} class="rb-tool-source" open={index === 0}>
          <summary>
            <Icon name="chevron" />
            <Inert text={sourceLabel(source)} />
            <span class="rb-field-help">
              {group.filter(({ enabled }) => enabled).length} of {group.length} on
            </span>
          </summary>
          <ul class="rb-rows">
            {group.map((tool) => (
              <ToolRow key={tool.name} tool={tool} run={run} />
            ))}
          </ul>
        </details>
      ))}
    </>
  );
}

function bySource(tools: readonly ToolView[]): [string, ToolView[]][] {
  const groups = new Map<string, ToolView[]>();
  for (const tool of tools) groups.set(tool.source, [...(groups.get(tool.source) ?? []), tool]);
  return [...groups];
}

function ToolRow({ tool, run }: { tool: ToolView; run: Run }) {
  const [isBusy, setBusy] = useState(false);
  const [refusals, setRefusals] = useState(0);
  const toggle = async (enabled: boolean) => {
    setBusy(true);
    if (!(await run("enable_tool", { tool: tool.name, enabled }))) setRefusals((count) => count + 1);
    setBusy(false);
  };
  return (
    <li class="rb-row-item" data-tool={tool.name}>
      <Toggle
        // Made anew after a refusal: the browser would go on showing the refused one.
        key={refusals}
        isOn={tool.enabled}
        isDisabled={isBusy}
        label={`Use ${spelled(tool.name)}`}
        onChange={toggle}
      />
      <div class="rb-row-text">
        <div class="rb-row-head">
          <strong>
            <Inert text={tool.label || tool.name} />
          </strong>
          <code>
            <Inert text={tool.name} />
          </code>
          <span class="rb-risk">
            <Icon name={riskIcon(tool.risk)} />
            {riskWords(tool.risk)}
          </span>
        </div>
        {tool.description !== "" && (
          <div class="rb-row-help" title={spelled(tool.description)}>
            <Inert text={tool.description} />
          </div>
        )}
      </div>
    </li>
  );
}
