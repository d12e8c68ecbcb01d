import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { FieldView, SettingsView } from "../../src/protocol";
import { SettingsTab } from "../../src/settings/SettingsTab";
import { type Answers, field, HOLD, Kernel, settings, Tab, until } from "../tab";

let kernels: Kernel[] = [];
let now: SettingsView;

const change = (name: string, part: Partial<FieldView>) => {
  now = { ...now, fields: now.fields.map((each) => (each.name === name ? { ...each, ...part } : each)) };
};

/** A kernel with the settings of this test; it keeps what is saved. */
function startKernel(answers: Answers = {}): Kernel {
  const kernel: Kernel = new Kernel({
    settings: () => {
      kernel.model.emit({ op: "settings", settings: now });
      return {};
    },
    save_settings: ({ values, persist }) => {
      for (const [name, value] of Object.entries(values)) {
        change(name, { value, layer: persist ? "file" : "session" });
      }
      kernel.model.emit({ op: "settings", settings: now });
      return {};
    },
    ...answers,
  });
  kernels.push(kernel);
  return kernel;
}

async function openTab(kernel: Kernel): Promise<Tab> {
  const tab = new Tab(SettingsTab, kernel);
  await until(() => tab.find(".rb-settings"));
  return tab;
}

const input = (name: string) => `[data-field="${name}"] input`;
const shown = (tab: Tab, name: string) => tab.find<HTMLInputElement>(input(name)).value;

beforeEach(() => {
  now = settings([
    field("model", { value: "openai/gpt-5", layer: "file", where: "~/settings.toml" }),
    field("fallback_models", { type: "list", value: ["a/one", "b/two"], default: [], maximum: 3 }),
    field("temperature", { type: "number", minimum: 0, maximum: 2 }),
    field("base_url", { group: "Server", value: "https://openrouter.ai", default: "https://openrouter.ai" }),
    field("retries", { group: "Retries", type: "integer", minimum: 0, maximum: 9, value: 2, default: 2 }),
  ]);
});

afterEach(() => {
  for (const kernel of kernels) kernel.end();
  kernels = [];
  document.body.replaceChildren();
});

describe("what is shown", () => {
  test("groups come in the order of the fields, the key behind the server", async () => {
    const tab = await openTab(startKernel());

    const titles = tab.all("h3").map((title) => title.textContent);

    expect(titles).toEqual(["Model", "Server", "Key", "Retries"]);
  });

  test("each value says where it comes from", async () => {
    const tab = await openTab(startKernel());

    const tag = tab.find('[data-field="model"] .rb-origin');

    expect(tag.textContent).toContain("file");
    expect(tag.title).toContain("~/settings.toml");
  });

  test("an unset sampling field leaves it to the provider", async () => {
    const tab = await openTab(startKernel());

    expect(tab.find<HTMLInputElement>(input("temperature")).placeholder).toBe("Provider default");
  });

  test("what is broken in the settings file stands in a banner", async () => {
    now = { ...now, problems: ["Line 3 is not understood."] };

    const tab = await openTab(startKernel());

    expect(tab.find(".rb-banner-warning").textContent).toContain("Line 3");
  });

  test("texts of the kernel are shown as texts", async () => {
    change("model", { help: "<img src=x onerror=alert(1)>", where: '"><script>' });

    const tab = await openTab(startKernel());

    expect(tab.all("img, script")).toEqual([]);
  });
});

describe("editing", () => {
  test("an edit is marked and can be discarded", async () => {
    const tab = await openTab(startKernel());

    tab.type(input("temperature"), "0.3");
    await until(() => expect(tab.text).toContain("1 unsaved change"));
    tab.click("Discard");

    await until(() => expect(shown(tab, "temperature")).toBe(""));
    expect(tab.text).not.toContain("unsaved");
  });

  test("Use now sends the changes for this session", async () => {
    const kernel = startKernel();
    const tab = await openTab(kernel);

    tab.type(input("temperature"), "0.3");
    await until(() => tab.click("Use now"));

    await until(() => expect(tab.text).toContain("In use until the kernel ends."));
    expect(kernel.sent("save_settings")[0]).toMatchObject({ values: { temperature: 0.3 }, persist: false });
    expect(shown(tab, "temperature")).toBe("0.3");
    expect(tab.find('[data-field="temperature"] .rb-origin').textContent).toContain("this session");
  });

  test("Save writes the changes and what holds for this session only", async () => {
    change("retries", { value: 5, layer: "session" });
    const kernel = startKernel();
    const tab = await openTab(kernel);

    tab.type(input("temperature"), "0.3");
    await until(() => tab.find('[data-unsaved="1"]'));
    tab.click("Save");

    await until(() => expect(tab.text).toContain("Saved in ~/settings.toml."));
    expect(kernel.sent("save_settings")[0]).toMatchObject({
      values: { temperature: 0.3, retries: 5 },
      persist: true,
    });
  });

  test("a number out of range is explained beside it and not sent", async () => {
    const kernel = startKernel();
    const tab = await openTab(kernel);

    tab.type(input("temperature"), "3");
    await until(() => expect(tab.text).toContain("Enter a number from 0 to 2."));
    tab.click("Save");

    expect(document.activeElement).toBe(tab.find(input("temperature")));
    expect(kernel.sent("save_settings")).toEqual([]);
  });

  test("what the kernel refuses is told at its field, and stays for correction", async () => {
    const tab = await openTab(startKernel({ save_settings: () => "'model' cannot be 'x y': no spaces." }));

    tab.type(input("model"), "x y");
    await until(() => tab.find('[data-unsaved="1"]'));
    tab.click("Save");

    await until(() =>
      expect(tab.find('[data-field="model"] [role="alert"]').textContent).toContain("no spaces"),
    );
    expect(tab.text).toContain("Not saved: see “Model”.");
    expect(shown(tab, "model")).toBe("x y");
  });

  test("reset goes back to the default, which may be unset", async () => {
    const kernel = startKernel();
    const tab = await openTab(kernel);

    tab.click("Reset Model to its default");
    await until(() => expect(shown(tab, "model")).toBe(""));
    tab.click("Save");

    await until(() => expect(kernel.sent("save_settings")[0]).toMatchObject({ values: { model: null } }));
  });

  test("edits survive another tab and new settings; untouched fields follow", async () => {
    const kernel = startKernel();
    const tab = await openTab(kernel);
    tab.type(input("temperature"), "0.3");
    await until(() => tab.find('[data-unsaved="1"]'));

    tab.hide();
    change("retries", { value: 7 });
    change("temperature", { value: 1 });
    kernel.model.emit({ op: "settings", settings: now });
    tab.show();

    await until(() => expect(shown(tab, "retries")).toBe("7"));
    expect(shown(tab, "temperature")).toBe("0.3");
  });

  test("what is typed while the kernel saves is not lost", async () => {
    const kernel = startKernel({ save_settings: () => HOLD });
    const tab = await openTab(kernel);
    tab.type(input("temperature"), "0.3");
    await until(() => tab.click("Use now"));
    const command = await until(() => {
      const [first] = kernel.sent("save_settings");
      if (!first) throw new Error("nothing sent");
      return first;
    });

    tab.type(input("temperature"), "0.35");
    change("temperature", { value: 0.3, layer: "session" });
    kernel.model.emit({ op: "settings", settings: now });
    kernel.model.ack(command);

    await until(() => expect(tab.text).toContain("1 unsaved change"));
    expect(shown(tab, "temperature")).toBe("0.35");
  });

  test("two views show the same saved values and their own edits", async () => {
    const kernel = startKernel();
    const [one, two] = [await openTab(kernel), await openTab(kernel)];
    two.type(input("retries"), "4");

    one.type(input("temperature"), "0.3");
    await until(() => one.click("Use now"));

    await until(() => expect(shown(two, "temperature")).toBe("0.3"));
    expect(shown(two, "retries")).toBe("4");
    expect(shown(one, "retries")).toBe("2");
  });
});

describe("models", () => {
  const models = () => ({
    models: [{ id: "x/new", name: "New", context_length: 8000, input_usd: 1, output_usd: 2 }],
  });

  test("the picker suggests models and takes one by keyboard", async () => {
    const kernel = startKernel({ models });
    const tab = await openTab(kernel);

    tab.type(input("model"), "new");
    await until(() => expect(tab.find('[role="option"]').textContent).toContain("8k tokens"));
    tab.press(input("model"), "ArrowDown");
    await until(() => tab.find('[role="option"][aria-selected="true"]'));
    tab.press(input("model"), "Enter");

    await until(() => expect(shown(tab, "model")).toBe("x/new"));
    expect(kernel.sent("models")).toMatchObject([{ words: "new" }]);
  });

  test("fallback models are added, ordered and removed", async () => {
    const tab = await openTab(startKernel({ models }));
    const items = () =>
      tab.all('[data-field="fallback_models"] .rb-list-text').map((item) => item.textContent);

    tab.click("Move b/two up");
    await until(() => expect(items()).toEqual(["b/two", "a/one"]));
    tab.click("Remove a/one");
    await until(() => expect(items()).toEqual(["b/two"]));
    tab.type(input("fallback_models"), "c/three");
    await until(() => tab.click("Add to Fallback models"));

    await until(() => expect(items()).toEqual(["b/two", "c/three"]));
  });
});

describe("server and key", () => {
  test("a local server is used with one click, with its model", async () => {
    const servers = [{ name: "Ollama", base_url: "http://localhost:11434/v1", models: ["a:1b", "b:2b"] }];
    const kernel = startKernel({ find_servers: () => ({ servers }) });
    const tab = await openTab(kernel);

    tab.click("Find local servers");
    await until(() => tab.click("Use Ollama"));

    await until(() => expect(shown(tab, "model")).toBe("a:1b"));
    expect(kernel.sent("save_settings")[0]).toMatchObject({
      values: { base_url: "http://localhost:11434/v1", model: "a:1b" },
      persist: false,
    });
  });

  test("the result of a check is told", async () => {
    const tab = await openTab(startKernel({ check_connection: () => ({ ok: false, text: "No answer." }) }));

    tab.click("Check connection");

    await until(() => expect(tab.find(".rb-banner-error").textContent).toContain("No answer."));
  });

  test("a key is sent once and leaves no trace in the page", async () => {
    const kernel = startKernel();
    const tab = await openTab(kernel);
    const key = 'input[type="password"]';

    tab.type(key, " sk-secret ");
    tab.find<HTMLInputElement>('input[value="file"]').click();
    await until(() => expect(tab.find<HTMLInputElement>('input[value="file"]').checked).toBe(true));
    await until(() => tab.click("Use key"));

    await until(() => expect(tab.text).toContain("kept in a private file"));
    expect(kernel.sent("set_key")).toMatchObject([{ key: "sk-secret", remember: "file" }]);
    expect(tab.find<HTMLInputElement>(key).value).toBe("");
    expect(tab.element.outerHTML).not.toContain("sk-secret");
    expect(JSON.stringify(kernel.store.state.value)).not.toContain("sk-secret");
  });

  test("the keyring is offered only where there is one", async () => {
    const tab = await openTab(startKernel());

    expect(tab.all('input[type="radio"]').map((radio) => radio.getAttribute("value"))).toEqual([
      "memory",
      "file",
    ]);
  });

  test("a key of the environment is named, and cannot be forgotten here", async () => {
    now = { ...now, key: { ...now.key, present: true, source: "OPENROUTER_API_KEY" } };

    const tab = await openTab(startKernel());

    expect(tab.text).toContain("A key is in use, from OPENROUTER_API_KEY");
    expect(tab.all('button[aria-label="Forget key"]')).toEqual([]);
  });

  test("a request for the key focuses its field", async () => {
    const tab = await openTab(startKernel());

    tab.view.askForKey();

    await until(() => expect(document.activeElement).toBe(tab.find('input[type="password"]')));
  });
});

test("a profile that is refused is not shown as chosen", async () => {
  now = { ...now, profile: "work", profiles: ["work", "home"] };
  const tab = await openTab(startKernel({ use_profile: () => "There is no profile 'home'." }));
  const select = () => tab.find<HTMLSelectElement>('select[id$="-profile"]');

  select().value = "home";
  select().dispatchEvent(new Event("change", { bubbles: true }));

  await until(() => expect(tab.text).toContain("There is no profile 'home'."));
  expect(select().value).toBe("work");
});
