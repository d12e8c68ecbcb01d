import { useState } from "preact/hooks";
import type { ServerAction, ServerView } from "../../protocol";
import type { Store } from "../../state/store";
import { Badge } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { spelled } from "../../ui/hidden";
import { Inert } from "../../ui/Inert";
import { split } from "../../ui/parts";
import type { Run } from "./ToolSections";

interface ServerRowsProps {
  servers: readonly ServerView[];
  store: Store;
  run: Run;
}

export function ServerRows({ servers, store, run }: ServerRowsProps) {
  if (servers.length === 0) {
    return (
      <p class="rb-field-help">
        None yet. <code>.mcp.json</code> in the notebook's folder names servers, and{" "}
        <code>%rustbot mcp add</code> adds one.
      </p>
    );
  }
  return (
    <ul class="rb-rows">
      {servers.map((server) => (
        <ServerRow key={server.name} server={server} store={store} run={run} />
      ))}
    </ul>
  );
}

const STATES: Record<
  ServerView["state"],
  { words: string; tone: "neutral" | "busy" | "good" | "warning" | "error" }
> = {
  stopped: { words: "Stopped", tone: "neutral" },
  unapproved: { words: "Not started: its command was not approved yet", tone: "warning" },
  starting: { words: "Starting", tone: "busy" },
  running: { words: "Running", tone: "good" },
  failed: { words: "Failed", tone: "error" },
};

const ORIGINS: ReadonlyMap<string, string> = new Map([
  ["user", "from your own file"],
  ["workspace", "from this workspace"],
  ["code", "added by code"],
]);

const LABELS: Record<ServerAction, string> = {
  start: "Start",
  stop: "Stop",
  restart: "Restart",
  remove: "Remove",
};

function ServerRow({ server, store, run }: { server: ServerView; store: Store; run: Run }) {
  const [isBusy, setBusy] = useState(false);
  const [isRemoving, setRemoving] = useState(false);
  const log = useLog(store, server.name);
  const name = spelled(server.name);
  const state = STATES[server.state] ?? STATES.stopped;
  const isUp = server.state === "running" || server.state === "starting";
  const act = async (action: ServerAction) => {
    setBusy(true);
    setRemoving(false);
    await run("mcp_server", { server: server.name, action });
    setBusy(false);
  };
  const button = (action: ServerAction) => (
    <Button label={`${LABELS[action]} ${name}`} kind="quiet" isDisabled={isBusy} onClick={() => act(action)}>
      {LABELS[action]}
    </Button>
  );
  return (
    <li class="rb-row-item" data-server={server.name} data-state={server.state}>
      <div class="rb-row-text">
        <div class="rb-row-head">
          <strong>
            <Inert text={server.name} />
          </strong>
          <Badge tone={state.tone}>{state.words}</Badge>
          <span class="rb-field-help">
            {server.tools === 1 ? "1 tool" : `${server.tools} tools`} ·{" "}
            {ORIGINS.get(server.origin) ?? spelled(server.origin)}
          </span>
        </div>
        <code class="rb-row-command">
          <Inert text={server.command} />
        </code>
        {server.error !== "" && (
          <div class="rb-field-error">
            <Inert text={server.error} />
          </div>
        )}
        <div class="rb-row">
          {isUp ? [button("stop"), button("restart")] : button("start")}
          <Button
            label={`${log.text === null ? "Log" : "Hide log"} of ${name}`}
            kind="quiet"
            onClick={log.toggle}
          >
            {log.text === null ? "Log" : "Hide log"}
          </Button>
          {isRemoving ? (
            <>
              <Button
                label={`Really remove ${name}`}
                kind="danger"
                isDisabled={isBusy}
                onClick={() => act("remove")}
              >
                Really remove
              </Button>
              <Button label="Keep it" onClick={() => setRemoving(false)} />
            </>
          ) : (
            <Button
              label={`Remove ${name}`}
              kind="quiet"
              isDisabled={isBusy}
              onClick={() => setRemoving(true)}
            >
              Remove
            </Button>
          )}
        </div>
        {log.text !== null && <Log text={log.text} />}
      </div>
    </li>
  );
}

function useLog(store: Store, server: string) {
  const [text, setText] = useState<string | null>(null);
  const toggle = async () => {
    if (text !== null) return setText(null);
    try {
      setText((await store.command("mcp_log", { server })).text);
    } catch (error) {
      setText(error instanceof Error ? error.message : String(error));
    }
  };
  return { text, toggle };
}

function Log({ text }: { text: string }) {
  if (text === "") return <p class="rb-field-help">It wrote nothing.</p>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must scroll by keyboard, too
    <div class="rb-tool-text" tabIndex={0} role="log" aria-live="off" aria-label="Log">
      {split(text).map((part, index) => (
        <pre class="rb-tool-part" key={index}>
          <Inert text={part} />
        </pre>
      ))}
    </div>
  );
}
