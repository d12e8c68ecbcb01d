import { options } from "preact";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ServerView, ToolsView } from "../../src/protocol";
import { ToolSections } from "../../src/settings/tools/ToolSections";
import { hasHidden } from "../../src/ui/hidden";
import { HOSTILE } from "../hostile";
import { type Answers, HOLD, Kernel, Tab, until } from "../tab";

let kernel: Kernel;
let now: ToolsView;

const tool = (name: string, more: Partial<ToolsView["tools"][0]> = {}) => ({
  name,
  label: name,
  description: `What ${name} does.`,
  source: "built-in",
  risk: "read" as const,
  enabled: true,
  ...more,
});
const server = (more: Partial<ServerView> = {}): ServerView => ({
  name: "time",
  state: "running",
  command: "mcp-server-time --zone Europe/Rome",
  origin: "workspace",
  tools: 2,
  error: "",
  ...more,
});
const rule = (more: Partial<ToolsView["rules"][0]> = {}) => ({
  id: "u1",
  tool: "run_shell",
  pattern: "git status *",
  decision: "allow" as const,
  scope: "always" as const,
  workspace: "~/notes",
  ...more,
});

async function open(answers: Answers = {}): Promise<Tab> {
  kernel = new Kernel({
    tools: () => {
      kernel.model.emit({ op: "tools", tools: now });
      return {};
    },
    ...answers,
  });
  const tab = new Tab(ToolSections, kernel);
  await until(() => tab.find("h3"));
  return tab;
}

const switchOf = (tab: Tab, name: string) => tab.find<HTMLInputElement>(`input[aria-label="Use ${name}"]`);

beforeEach(() => {
  options.debounceRendering = (draw) => draw();
  now = { tools: [tool("read_file"), tool("run_code")], servers: [server()], rules: [rule()], problems: [] };
});

afterEach(() => {
  kernel.end();
  document.body.replaceChildren();
});

describe("tools", () => {
  test("are grouped by who brought them", async () => {
    now.tools.push(
      tool("time__now", { source: "mcp:time", enabled: false }),
      tool("mine", { source: "user" }),
    );

    const tab = await open();

    const groups = tab.all(".rb-tool-source summary").map((it) => it.textContent);
    expect(groups).toEqual(["Built in2 of 2 on", "MCP server time0 of 1 on", "Yours1 of 1 on"]);
  });

  test("are switched at once", async () => {
    const tab = await open();

    switchOf(tab, "run_code").click();

    expect(kernel.sent("enable_tool")).toMatchObject([{ tool: "run_code", enabled: false }]);
  });

  test("stay as they are when the kernel refuses, which is said", async () => {
    const tab = await open({ enable_tool: () => "'run_code' is needed." });

    switchOf(tab, "run_code").click();

    await until(() => expect(tab.text).toContain("'run_code' is needed."));
    expect(switchOf(tab, "run_code").checked).toBe(true);
  });

  test("that have problems are told of", async () => {
    now.problems = ["'.mcp.json' is no JSON."];

    expect((await open()).text).toContain("'.mcp.json' is no JSON.");
  });
});

describe("a server", () => {
  test("shows its exact command, its state and its error", async () => {
    now.servers = [server({ state: "failed", error: "It ended with code 1." })];

    const { text } = await open();

    for (const part of ["mcp-server-time --zone Europe/Rome", "Failed", "It ended with code 1.", "2 tools"]) {
      expect(text).toContain(part);
    }
  });

  for (const [state, names] of [
    ["running", ["Stop", "Restart"]],
    ["starting", ["Stop", "Restart"]],
    ["stopped", ["Start"]],
    ["unapproved", ["Start"]],
    ["failed", ["Start"]],
  ] as const) {
    test(`that is ${state} has the buttons ${names}`, async () => {
      now.servers = [server({ state })];

      const tab = await open();

      const shown = tab.all('[data-server="time"] button').map((it) => it.textContent);
      expect(shown).toEqual([...names, "Log", "Remove"]);
    });
  }

  test("is restarted once, however often it is asked for", async () => {
    const tab = await open({ mcp_server: () => HOLD });

    const button = tab.button("Restart time");
    button.click();
    button.click();

    expect(kernel.sent("mcp_server")).toMatchObject([{ server: "time", action: "restart" }]);
  });

  test("is removed only after a second question", async () => {
    const tab = await open();

    tab.click("Remove time");
    const before = kernel.sent("mcp_server").length;
    tab.click("Really remove time");

    expect(before).toBe(0);
    expect(kernel.sent("mcp_server")).toMatchObject([{ action: "remove" }]);
  });

  test("shows its log, and hides it", async () => {
    const tab = await open({ mcp_log: () => ({ text: "ready\n" }) });

    tab.click("Log of time");
    await until(() => expect(tab.text).toContain("ready"));
    tab.click("Hide log of time");

    expect(tab.text).not.toContain("ready");
  });
});

describe("a standing answer", () => {
  test("says what it allows, and where", async () => {
    const { text } = await open();

    for (const part of ["Allowed", "run_shell", "git status *", "always, in ~/notes"])
      expect(text).toContain(part);
  });

  test("is revoked", async () => {
    const tab = await open();

    tab.click("Revoke run_shell git status *");

    expect(kernel.sent("remove_rule")).toMatchObject([{ rule_id: "u1" }]);
  });
});

describe("texts of others are nothing but text", () => {
  for (const text of HOSTILE) {
    test(JSON.stringify(text), async () => {
      now = {
        tools: [tool(text, { label: text, description: text, source: `mcp:${text}` })],
        servers: [server({ name: text, command: text, error: text, origin: text })],
        rules: [rule({ id: text, tool: text, pattern: text, workspace: text })],
        problems: [text, `${text}!`],
      };

      const tab = await open({ mcp_log: () => ({ text }) });
      const log = tab.all("button").find((it) => it.textContent === "Log");
      log?.click();
      await until(() => expect(kernel.sent("mcp_log")).toMatchObject([{ server: text }]));

      expect(tab.all("script, img, iframe, style, a, b, svg[onload], [data-commandlinker-command]")).toEqual(
        [],
      );
      expect(hasHidden(tab.text)).toBe(false);
      const named = tab.all("[aria-label], [title]");
      const names = named.flatMap((it) => [it.getAttribute("aria-label") ?? "", it.title]);
      expect(names.filter(hasHidden)).toEqual([]);
    });
  }
});
