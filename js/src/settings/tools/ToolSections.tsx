/** Tools, MCP servers and standing answers, below the settings. Changes here count at once: nothing waits for "Save". */

import { useEffect, useState } from "preact/hooks";
import type { CommandName, Commands } from "../../protocol";
import type { TabProps } from "../../tabs";
import { Banner } from "../../ui/Banner";
import { useSelect } from "../../ui/hooks";
import { Problems } from "../Problems";
import { Section } from "../Section";
import { RuleList } from "./RuleList";
import { ServerRows } from "./ServerRows";
import { ToolList } from "./ToolList";
import "./tools.css";

/** Sends a command; resolves to false when the kernel refused, which is shown. */
export type Run = <N extends CommandName>(name: N, fields: Commands[N]["fields"]) => Promise<boolean>;

export function ToolSections({ store, view }: TabProps) {
  const tools = useSelect(store, (state) => state.tools);
  const [refusal, setRefusal] = useState("");
  useEffect(() => {
    store.command("tools", {}).catch(() => {});
  }, [store]);
  const run: Run = async (name, fields) => {
    setRefusal("");
    try {
      await store.command(name, fields);
      return true;
    } catch (error) {
      setRefusal(error instanceof Error ? error.message : String(error));
      return false;
    }
  };
  if (!tools) return null;
  return (
    <>
      <Section id={`${view.id}-group-tools`} title="Tools">
        {tools.problems.length > 0 && <Problems problems={tools.problems} />}
        {refusal !== "" && (
          <Banner level="error" onDismiss={() => setRefusal("")}>
            {refusal}
          </Banner>
        )}
        <ToolList tools={tools.tools} run={run} />
      </Section>
      <Section id={`${view.id}-group-servers`} title="MCP servers">
        <ServerRows servers={tools.servers} store={store} run={run} />
      </Section>
      <Section id={`${view.id}-group-rules`} title="Standing answers">
        <RuleList rules={tools.rules} run={run} />
      </Section>
    </>
  );
}
