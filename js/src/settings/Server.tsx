/** Below the server's address: does it answer, and which servers run on this machine. */

import { useState } from "preact/hooks";
import type { ServerChoice } from "../protocol";
import type { Store } from "../state/store";
import { Banner } from "../ui/Banner";
import { Button } from "../ui/Button";
import { Select } from "../ui/fields";
import type { Outcome, SettingsForm } from "./form";

interface ServerToolsProps {
  id: string;
  store: Store;
  form: SettingsForm;
}

export function ServerTools({ id, store, form }: ServerToolsProps) {
  const [isChecking, setIsChecking] = useState(false);
  const [isFinding, setIsFinding] = useState(false);
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const [servers, setServers] = useState<readonly ServerChoice[] | null>(null);
  const isEdited = form.changed().some((field) => field.name === "base_url");

  const check = async () => {
    setIsChecking(true);
    setOutcome(null);
    try {
      const { ok, text } = await store.command("check_connection", {});
      setOutcome({ isOk: ok, text });
    } catch (error) {
      setOutcome(failure(error));
    }
    setIsChecking(false);
  };
  const find = async () => {
    setIsFinding(true);
    setOutcome(null);
    try {
      setServers((await store.command("find_servers", {})).servers);
    } catch (error) {
      setOutcome(failure(error));
    }
    setIsFinding(false);
  };

  return (
    <div class="rb-setting rb-server-tools">
      <div class="rb-setting-head" />
      <div class="rb-setting-body">
        <div class="rb-row">
          <Button label="Check connection" isDisabled={isChecking || isEdited} onClick={check}>
            {isChecking ? "Checking…" : "Check connection"}
          </Button>
          <Button label="Find local servers" icon="search" isDisabled={isFinding} onClick={find}>
            {isFinding ? "Looking…" : "Find local servers"}
          </Button>
        </div>
        {isEdited && <div class="rb-field-help">Use or save the new address first, then check it.</div>}
        {outcome && <Banner level={outcome.isOk ? "info" : "error"}>{outcome.text}</Banner>}
        {servers && <ServerList id={id} servers={servers} form={form} />}
      </div>
    </div>
  );
}

function ServerList({
  id,
  servers,
  form,
}: {
  id: string;
  servers: readonly ServerChoice[];
  form: SettingsForm;
}) {
  if (servers.length === 0) {
    return (
      <div class="rb-field-help" role="status">
        No server answers on the usual ports of Ollama, LM Studio, llama.cpp, vLLM and LiteLLM. Start one, or
        type its address above.
      </div>
    );
  }
  return (
    <ul class="rb-servers" aria-label="Local servers">
      {servers.map((server, index) => (
        <ServerItem key={server.base_url} id={`${id}-${index}`} server={server} form={form} />
      ))}
    </ul>
  );
}

function ServerItem({ id, server, form }: { id: string; server: ServerChoice; form: SettingsForm }) {
  const [model, setModel] = useState(server.models[0] ?? "");
  const use = () =>
    form.use(model === "" ? { base_url: server.base_url } : { base_url: server.base_url, model });
  return (
    <li class="rb-server">
      <div class="rb-server-name">
        <strong>{server.name}</strong>
        <span class="rb-server-url">{server.base_url}</span>
      </div>
      {server.models.length > 0 ? (
        <Select
          id={`${id}-model`}
          label={`Model of ${server.name}`}
          value={model}
          options={server.models}
          onChange={setModel}
        />
      ) : (
        <span class="rb-field-help">It lists no models.</span>
      )}
      <Button label={`Use ${server.name}`} isDisabled={form.isBusy.value} onClick={use}>
        Use
      </Button>
    </li>
  );
}

const failure = (error: unknown): Outcome => ({
  isOk: false,
  text: error instanceof Error ? error.message : String(error),
});
