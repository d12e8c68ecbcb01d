/** The widget as anywidget uses it, with a scripted kernel. */

import { options } from "preact";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { approval, FakeModel, message, snapshot, state, toolRun } from "../dev/fake";
import * as markdown from "../src/libraries/markdown";
import type { Op, SnapshotOp } from "../src/protocol";
import widget from "../src/widget";

let model: FakeModel;
let closed: AbortController;
let view = "";
const cleanups: (() => void)[] = [];

beforeEach(() => {
  // Renders at once, so that no test waits for a frame.
  options.debounceRendering = (render) => render();
  const page = globalThis as { [key: symbol]: unknown };
  page[Symbol.for("rustbot.libs")] = new Map([["markdown@2", Promise.resolve(markdown)]]);
  vi.stubGlobal(
    "ResizeObserver",
    class {
      observe() {}
      disconnect() {}
    },
  );
  Element.prototype.scrollIntoView = () => {};
  sessionStorage.clear();
  delete page[Symbol.for("rustbot.unsent")];
  model = new FakeModel({ tab: "chat" });
  closed = new AbortController();
});

afterEach(() => {
  for (const clean of cleanups.splice(0)) clean();
  closed.abort();
  document.body.replaceChildren();
  vi.unstubAllGlobals();
});

function mount(made = widget(), isFirst = true) {
  if (isFirst) made.initialize({ model: model as never, signal: closed.signal });
  const el = document.createElement("div");
  document.body.append(el);
  cleanups.push(made.render({ model: model as never, el, signal: closed.signal }));
  return { made, el };
}

/** A mounted widget with this snapshot. */
async function chat(more: Partial<SnapshotOp> = {}) {
  const { made, el } = mount();
  await vi.waitFor(() => expect(model.sent.some(({ command }) => command === "sync")).toBe(true));
  view = model.sent.find(({ command }) => command === "sync")?.view ?? "";
  acknowledge();
  model.emit(snapshot(view, more));
  await vi.waitFor(() => expect(el.querySelector(".rb-root")?.getAttribute("data-connection")).toBe("live"));
  return {
    made,
    el,
    input: el.querySelector<HTMLTextAreaElement>(".rb-composer textarea") as HTMLTextAreaElement,
  };
}

/** Preact runs effects after the frame. */
const effects = () => new Promise((resolve) => setTimeout(resolve, 120));

const acknowledge = () => {
  for (const { id } of model.sent) model.emit({ op: "ack", view, id, ok: true, result: {} });
};
const refuse = (error: string) =>
  model.emit({ op: "ack", view, id: model.sent.at(-1)?.id ?? "", ok: false, error });
const sends = () => model.sent.flatMap((it) => (it.command === "send" && "text" in it ? [it.text] : []));
const emit = (...ops: Op[]) => model.emit(...ops);

function type(field: HTMLTextAreaElement | HTMLInputElement, text: string): void {
  field.value = text;
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

function press(element: Element, key: string, more: KeyboardEventInit = {}): KeyboardEvent {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more });
  element.dispatchEvent(event);
  return event;
}

function button(root: ParentNode, name: string): HTMLButtonElement {
  const found = [...root.querySelectorAll("button")].find(
    (it) => (it.getAttribute("aria-label") ?? it.textContent) === name,
  );
  if (!found) throw new Error(`there is no button ${name}`);
  return found;
}

describe("writing", () => {
  test("Enter sends and empties the field", async () => {
    const { input } = await chat();
    type(input, "Hello");

    const event = press(input, "Enter");

    expect(sends()).toEqual(["Hello"]);
    expect(input.value).toBe("");
    expect(event.defaultPrevented).toBe(true);
  });

  for (const [what, more] of [
    ["Shift and Enter", { shiftKey: true }],
    ["Enter that ends a composition", { isComposing: true }],
    ["Enter of an input method in Safari", { keyCode: 229 }],
    ["Enter that is held down", { repeat: true }],
  ] as const) {
    test(`${what} does not send`, async () => {
      const { input } = await chat();
      type(input, "Hello");

      press(input, "Enter", more);

      expect(sends()).toEqual([]);
      expect(input.value).toBe("Hello");
    });
  }

  test("blank text is not sent", async () => {
    const { el, input } = await chat();

    for (const blank of ["", " ", "\n\t"]) {
      type(input, blank);
      press(input, "Enter");
    }

    expect(sends()).toEqual([]);
    expect(button(el, "Send").disabled).toBe(true);
  });

  test("text goes out as it was typed", async () => {
    const { input } = await chat();
    const text = "  \u0000 שלום 👩‍💻\ud800 \u202e  ";
    type(input, text);

    press(input, "Enter");

    expect(sends()).toEqual([text]);
  });

  test("a refused message comes back into the field", async () => {
    const { el, input } = await chat();
    type(input, "Hello");
    press(input, "Enter");

    refuse("The chat is closed.");

    await vi.waitFor(() => expect(input.value).toBe("Hello"));
    expect(el.querySelector(".rb-banners")?.textContent).toContain("The chat is closed.");
  });

  test("a draft outlives the page", async () => {
    const first = await chat();
    type(first.input, "half a thou");
    await effects();
    window.dispatchEvent(new Event("pagehide"));
    for (const clean of cleanups.splice(0)) clean();

    model = new FakeModel({ tab: "chat" });
    const second = await chat();

    await vi.waitFor(() => expect(second.input.value).toBe("half a thou"));
  });

  test("what waits in a kernel that goes comes back into the field", async () => {
    const { el, input } = await chat({
      queue: [{ id: "q", text: "waiting", source: "chat" }],
      state: state("responding"),
    });
    type(input, "half a thou");

    model.trigger("comm_live_update");

    await vi.waitFor(() => expect(input.value).toBe("waiting\nhalf a thou"));
    expect(el.querySelector(".rb-queue")).toBeNull();
  });

  test("keys that are commands of the notebook stay in the widget", async () => {
    const { el } = await chat();
    const heard: string[] = [];
    document.body.addEventListener("keydown", ({ key }) => heard.push(key), { once: true });

    press(button(el, "New chat"), "d");
    press(button(el, "New chat"), "z", { ctrlKey: true, keyCode: 90 });
    press(button(el, "New chat"), "s", { ctrlKey: true, keyCode: 83 });

    expect(heard).toEqual(["s"]);
  });
});

describe("while an answer is written", () => {
  const streaming = message({ id: "a", status: "streaming", text: "Once " });

  test("Send is Stop, and Enter queues", async () => {
    const { el, input } = await chat({ messages: [streaming], state: state("responding") });
    type(input, "And then?");

    press(input, "Enter");

    expect(() => button(el, "Send")).toThrow();
    expect(sends()).toEqual(["And then?"]);
    button(el, "Stop").click();
    expect(model.sent.at(-1)?.command).toBe("stop");
  });

  test("Escape stops", async () => {
    const { input } = await chat({ messages: [streaming], state: state("responding") });

    press(input, "Escape");

    expect(model.sent.at(-1)?.command).toBe("stop");
  });

  test("text appears as it comes, and is announced at its ends only", async () => {
    const { el } = await chat({ messages: [message({ role: "user", text: "Tell" })] });
    const announced = () => el.querySelector('[role="status"][aria-live]')?.textContent;

    emit(
      { op: "message", message: message({ id: "b", status: "streaming" }) },
      { op: "state", state: state("responding") },
    );
    await vi.waitFor(() => expect(announced()).toBe("Answer started"));
    emit({ op: "text", id: "b", offset: 0, text: "Once **upon** a time" });
    await vi.waitFor(() => expect(el.querySelector(".rb-answer strong")?.textContent).toBe("upon"));
    emit(
      { op: "message_patch", id: "b", fields: { status: "complete" } },
      { op: "state", state: state("idle") },
    );

    await vi.waitFor(() => expect(announced()).toBe("Answer finished"));
    expect(el.querySelector('[data-role="assistant"]')?.getAttribute("data-status")).toBe("complete");
  });

  test("waiting messages can be sent now, edited and removed", async () => {
    const { el } = await chat({
      state: state("responding"),
      queue: [{ id: "q1", text: "Later", source: "chat" }],
    });
    const commands = () => model.sent.slice(-3).map(({ command }) => command);

    button(el, "Send now").click();
    button(el, "Edit").click();
    const field = el.querySelector<HTMLInputElement>(".rb-queued input");
    if (field) type(field, "Much later");
    if (field) press(field, "Enter");
    button(el, "Remove").click();

    expect(commands()).toEqual(["queue_send_now", "queue_edit", "queue_remove"]);
    expect(model.sent.at(-2)).toMatchObject({ item_id: "q1", text: "Much later" });
  });

  test("the spinner says what is waited for", async () => {
    const { el } = await chat({ state: state("processing", { waiting_for_provider: true }) });
    const activity = () => el.querySelector(".rb-activity")?.textContent;
    const first = activity();

    const retry = { attempt: 2, attempts: 4, until: Date.now() + 8000, reason: "Overloaded." };
    emit({ op: "state", state: state("waiting_retry", { retry }) });

    expect(first).toContain("Waiting for the provider");
    expect(activity()).toMatch(/Overloaded\. Trying again in [78] s \(try 2 of 4\)/);
  });
});

describe("an answer", () => {
  const failed = (type: string, more = {}) =>
    message({
      id: "x",
      status: "error",
      error: {
        type,
        text: "It failed.",
        detail: "<b>raw</b>",
        status: 401,
        retryable: true,
        suggestions: [],
        ...more,
      },
    });

  test("that failed for its key opens the settings at the key", async () => {
    const { el } = await chat({ messages: [failed("AuthenticationFailed")] });

    button(el, "Open settings").click();

    await vi.waitFor(() => expect(el.querySelector('[aria-selected="true"]')?.textContent).toBe("Settings"));
  });

  test("that failed can be asked for again, or from another model", async () => {
    const { el } = await chat({ messages: [failed("UnknownModel", { suggestions: ["vendor/other"] })] });

    button(el, "Retry").click();
    button(el, "Use vendor/other").click();
    const [retry, change] = model.sent.slice(-2);
    model.emit({ op: "ack", view, id: change?.id ?? "", ok: true });

    expect(retry).toMatchObject({ command: "regenerate", message_id: "x" });
    expect(change).toMatchObject({ command: "set_model", model: "vendor/other" });
    await vi.waitFor(() =>
      expect(model.sent.at(-1)).toMatchObject({ command: "regenerate", message_id: "x" }),
    );
  });

  test("that failed shows the provider's words as plain text", async () => {
    const { el } = await chat({ messages: [failed("ModelError")] });

    expect(el.querySelector(".rb-error pre")?.textContent).toBe("<b>raw</b>");
    expect(el.querySelector(".rb-error b")).toBeNull();
  });

  test("that does not fit offers a new chat", async () => {
    const { el } = await chat({ messages: [failed("ContextTooLong")] });

    button(el, "Start a new chat").click();

    expect(model.sent.at(-1)?.command).toBe("new_conversation");
  });

  test("that does not fit can be asked again without the older messages", async () => {
    const { el } = await chat({ messages: [failed("ContextTooLong")] });

    button(el, "Leave out older messages").click();

    expect(model.sent.at(-1)).toMatchObject({ command: "shorten" });
  });

  test("that was stopped can go on", async () => {
    const { el } = await chat({ messages: [message({ id: "x", status: "interrupted", text: "Once" })] });

    button(el, "Continue").click();

    expect(model.sent.at(-1)).toMatchObject({ command: "continue", message_id: "x" });
  });

  test.each([" ", "\n\n", "\t \n"])("of blanks only says so: %j", async (text) => {
    const { el } = await chat({ messages: [message({ id: "x", text })] });

    expect(el.querySelector(".rb-ending")?.textContent).toContain("nothing but blanks");
  });

  test("tells its model, tokens and cost", async () => {
    const usage = {
      input_tokens: 1240,
      output_tokens: 486,
      reasoning_tokens: null,
      cache_read_tokens: null,
      cache_write_tokens: null,
      cost_usd: 0.0113,
      cost_is_estimate: true,
    };

    const { el } = await chat({
      messages: [message({ text: "Hi", model: "vendor/m", usage, duration_s: 6.2 })],
    });

    const facts = [...el.querySelectorAll(".rb-message-assistant .rb-message-meta bdi")].map(
      (it) => it.textContent,
    );
    expect(facts.slice(0, 5)).toEqual(["vendor/m", "1.2k in", "486 out", "≈$0.0113", "6.2 s"]);
  });

  test("of the demo is labelled, and so is the empty chat", async () => {
    const demo = { id: "rustbot/demo", host: "", is_demo: true, is_local: true };
    const { el } = await chat({ model: demo });
    const empty = el.querySelector(".rb-empty")?.textContent;

    emit({ op: "message", message: message({ text: "Hi", model: demo.id, model_is_demo: true }) });

    expect(empty).toContain("offline demo");
    expect(el.querySelector(".rb-message-meta")?.textContent).toMatch(/offline demo.*free demo/);
    expect(button(el, "Model: offline demo")).toBeTruthy();
  });

  test("hands code to the notebook, or to the clipboard where nobody takes it", async () => {
    const { el } = await chat({ messages: [message({ text: "```python\nx = 1\n```" })] });
    await vi.waitFor(() => expect(el.querySelector(".rb-code")).not.toBeNull());
    const copied: string[] = [];
    vi.stubGlobal("navigator", { clipboard: { writeText: async (text: string) => void copied.push(text) } });
    const taken: unknown[] = [];
    const take = (event: Event) => {
      event.preventDefault();
      taken.push((event as CustomEvent).detail);
    };

    document.body.addEventListener("rustbot:command", take, { once: true });
    button(el, "Insert below").click();
    button(el, "Replace cell").click();

    await vi.waitFor(() =>
      expect(el.querySelector(".rb-code-note")?.textContent).toContain("paste it into a cell"),
    );
    expect(taken).toEqual([{ command: "insert-below", text: "x = 1" }]);
    expect(copied).toEqual(["x = 1"]);
  });

  test("shows where a link leads before it opens it", async () => {
    const { el } = await chat({ messages: [message({ text: "[good.test](https://evil.test/x)" })] });
    await vi.waitFor(() => expect(el.querySelector(".rb-link")).not.toBeNull());
    const opened = vi.fn();
    vi.stubGlobal("open", opened);

    el.querySelector<HTMLElement>(".rb-link")?.click();
    const prompt = el.querySelector('[role="dialog"]');

    expect(prompt?.textContent).toContain("https://evil.test/x");
    expect(opened).not.toHaveBeenCalled();
    button(el, "Open").click();
    expect(opened).toHaveBeenCalledWith("https://evil.test/x", "_blank", "noopener,noreferrer");
    expect(el.querySelector('[role="dialog"]')).toBeNull();
  });
});

describe("a question", () => {
  test("is shown as it was typed, never as markup", async () => {
    const text = "<b>bold</b> **x** \u0000";

    const { el } = await chat({ messages: [message({ role: "user", text })] });

    expect(el.querySelector(".rb-bubble")?.textContent).toBe(text);
    expect(el.querySelector(".rb-bubble b")).toBeNull();
  });

  test("of a megabyte is folded, and whole when unfolded", async () => {
    const text = "word ".repeat(200_000);
    const { el } = await chat({ messages: [message({ role: "user", text })] });
    const folded = el.querySelector(".rb-bubble")?.textContent?.length;

    button(el, "Show all 1,000,000 characters").click();

    expect(folded).toBeLessThan(3000);
    const parts = [...el.querySelectorAll(".rb-bubble .rb-plain")].map((part) => part.textContent);
    expect(parts.join("")).toBe(text);
  });

  test("can be edited and sent again", async () => {
    const { el } = await chat({ messages: [message({ id: "u", role: "user", text: "Helo" })] });
    button(el, "Edit and resend").click();
    const field = el.querySelector<HTMLTextAreaElement>(".rb-edit textarea");

    if (field) type(field, "Hello");
    button(el, "Resend").click();

    expect(model.sent.at(-1)).toMatchObject({ command: "edit", message_id: "u", text: "Hello" });
  });
});

describe("a long conversation", () => {
  const many = Array.from({ length: 2000 }, (_, index) =>
    message({ role: "user", text: `question ${index}` }),
  );

  test("has only its end in the page, until more is asked for", async () => {
    const { el } = await chat({ messages: many, has_earlier: true });
    const shown = () => el.querySelectorAll("[data-role]").length;
    const atFirst = shown();

    button(el, "Show earlier messages").click();

    expect(atFirst).toBe(50);
    expect(shown()).toBe(100);
  });

  test("asks the kernel for what is not here", async () => {
    const { el } = await chat({ messages: many.slice(-3), has_earlier: true });

    button(el, "Show earlier messages").click();
    const asked = model.sent.at(-1);
    const result = { messages: many.slice(-5, -3), tool_runs: [], has_earlier: false };
    model.emit({ op: "ack", view, id: asked?.id ?? "", ok: true, result });

    expect(asked).toMatchObject({ command: "earlier_messages", before_id: many.at(-3)?.id });
    await vi.waitFor(() => expect(el.querySelectorAll("[data-role]")).toHaveLength(5));
    expect(() => button(el, "Show earlier messages")).toThrow();
  });
});

describe("the model", () => {
  test("is picked from a list by keyboard", async () => {
    const { el } = await chat();
    button(el, "Model: offline demo").click();
    await vi.waitFor(() => expect(model.sent.at(-1)?.command).toBe("models"));
    const models = [
      { id: "a/one", name: "One", context_length: 200_000, input_usd: 3, output_usd: 15 },
      { id: "b/two", name: "Two", context_length: null, input_usd: 0, output_usd: 0 },
    ];
    emit({ op: "ack", view, id: model.sent.at(-1)?.id ?? "", ok: true, result: { models, age_s: 1 } });
    await vi.waitFor(() => expect(el.querySelectorAll('[role="option"]')).toHaveLength(2));
    const field = el.querySelector<HTMLInputElement>('[role="combobox"]') as HTMLInputElement;

    press(field, "ArrowDown");
    const facts = [...el.querySelectorAll(".rb-models-facts")].map((it) => it.textContent);
    press(field, "Enter");

    expect(facts[0]).toContain("200k context");
    expect(facts[0]).toContain("$3.00 in · $15.00 out per million");
    expect(facts[1]).toContain("free");
    expect(model.sent.at(-1)).toMatchObject({ command: "set_model", model: "b/two" });
  });

  test("can be one that no list knows", async () => {
    const { el } = await chat();
    button(el, "Model: offline demo").click();
    const field = await vi.waitFor(() => {
      const found = el.querySelector<HTMLInputElement>('[role="combobox"]');
      if (!found) throw new Error("not open yet");
      return found;
    });

    type(field, "my/own-model");
    press(field, "Enter");

    expect(model.sent.at(-1)).toMatchObject({ command: "set_model", model: "my/own-model" });
  });
});

describe("tools", () => {
  const called = (...runs: Partial<Parameters<typeof toolRun>[0]>[]) => ({
    messages: [
      message({ role: "user", text: "Plot" }),
      message({ id: "a", text: "I look.", finish_reason: "tool_calls" }),
      message({ id: "b", finish_reason: "tool_calls" }),
      message({ id: "c", text: "Done." }),
    ],
    tool_runs: runs.map((it, index) => toolRun({ message_id: index === 0 ? "a" : "b", ...it })),
  });
  const articles = (el: Element) => [...el.querySelectorAll<HTMLElement>('[data-role="assistant"]')];

  test("are shown below the message that called them, wordless messages with the one before", async () => {
    const { el } = await chat(called({}, {}, {}));

    expect(articles(el)).toHaveLength(2);
    expect(articles(el)[0]?.textContent).toContain("3 tools used");
  });

  test("leave a mark on the answer that came of them, and on no other", async () => {
    const { el } = await chat(called({}, {}));

    const marks = articles(el).map((it) => it.querySelector(".rb-used-tools")?.textContent ?? "");
    expect(marks).toEqual(["", "2tools"]);
  });

  test("without a word before them are only their cards", async () => {
    const { el } = await chat({
      messages: [message({ id: "a" }), message({ id: "b", text: "Done." })],
      tool_runs: [toolRun({ message_id: "a" })],
    });

    expect(articles(el)[0]?.querySelector('[data-kind="tool"]')).not.toBeNull();
    expect(articles(el)[0]?.querySelector("footer, .rb-answer")).toBeNull();
  });

  test("that run say so instead of the line below the conversation", async () => {
    const { el } = await chat({
      messages: [message({ id: "a", status: "complete" })],
      tool_runs: [toolRun({ id: "r", message_id: "a", state: "running" })],
      state: state("running_tools"),
    });

    expect(el.querySelector(".rb-activity")).toBeNull();
    button(el, "Cancel").click();
    expect(model.sent.at(-1)).toMatchObject({ command: "cancel_tool", run_id: "r" });
  });

  test("print while they run", async () => {
    const { el } = await chat({
      messages: [message({ id: "a" })],
      tool_runs: [toolRun({ id: "r", message_id: "a", state: "running", output: "one " })],
      state: state("running_tools"),
    });

    emit({ op: "tool_output", id: "r", offset: 4, text: "two" });

    expect(el.querySelector(".rb-tool-output")?.textContent).toBe("one two");
  });

  for (const [name, words] of [
    ["running_tools", "Running tools"],
    ["waiting_approval", "Waiting for you"],
    ["waiting_kernel", "Waiting for the kernel: a cell is running"],
  ] as const) {
    test(`the badge says of ${name}: ${words}`, async () => {
      const { el } = await chat({ state: state(name) });

      expect(el.querySelector(".rb-header .rb-badge")?.textContent).toBe(words);
    });
  }
});

describe("questions", () => {
  test("are announced, and the input says that something waits", async () => {
    const { el } = await chat();

    emit({ op: "approvals", items: [approval({ label: "Run a command" })] });

    await vi.waitFor(() =>
      expect(el.querySelector('[aria-live="polite"]')?.textContent).toContain(
        "asks for your approval: Run a command",
      ),
    );
    expect(el.querySelector(".rb-waiting-hint")?.textContent).toContain("waits for your answer");
    button(el, "Go to the question").click();
    expect(document.activeElement?.getAttribute("data-kind")).toBe("approval");
  });

  test("are not answered by typing in the input", async () => {
    const { input } = await chat({ approvals: [approval()] });

    for (const key of ["a", "c", "w", "d", "r"]) press(input, key);
    await effects();

    expect(model.sent.filter(({ command }) => command === "approve" || command === "deny")).toEqual([]);
  });
});

describe("the mode", () => {
  const option = (el: Element, label: string) =>
    [...el.querySelectorAll<HTMLElement>('[role="radio"]')].find((it) => it.textContent?.startsWith(label));
  const modes = () => model.sent.filter(({ command }) => command === "set_approve_mode");

  test("is changed at the shield", async () => {
    const { el } = await chat();
    button(el, "Tools: Ask").click();

    option(el, "Read only")?.click();

    expect(modes()).toMatchObject([{ mode: "read-only", confirmed: false }]);
  });

  test("allow is set only after a second question", async () => {
    const { el } = await chat();
    button(el, "Tools: Ask").click();

    option(el, "Allow")?.click();
    const before = modes().length;
    const asked = el.querySelector(".rb-mode-confirm")?.textContent;
    button(el, "Run without asking").click();

    expect(before).toBe(0);
    expect(asked).toContain("ends with this conversation");
    expect(modes()).toMatchObject([{ mode: "allow", confirmed: true }]);
  });

  test("stays when the second question is answered with no", async () => {
    const { el } = await chat();
    button(el, "Tools: Ask").click();
    option(el, "Allow")?.click();

    button(el, "Keep asking").click();

    expect(modes()).toEqual([]);
    expect(el.querySelector(".rb-mode-card")).toBeNull();
  });

  test("allow has a red mark beside the state and at the input", async () => {
    const { el } = await chat();
    const before = el.textContent;

    emit({ op: "approve_mode", mode: "allow" });

    expect(before).not.toContain("Runs tools without asking");
    expect(el.querySelector(".rb-header .rb-unasked")?.textContent).toBe("Runs tools without asking");
    expect(el.querySelector(".rb-composer .rb-mode-allow")?.textContent).toBe("Runs tools without asking");
  });
});

describe("references", () => {
  const names = (el: Element) =>
    [...el.querySelectorAll(".rb-completion-name > bdi")].map((it) => it.textContent);

  async function typing(text: string) {
    const { el, input } = await chat();
    type(input, text);
    await vi.waitFor(() => expect(model.sent.at(-1)?.command).toBe("references"));
    const result = {
      prompts: [
        { name: "git:review", description: "Review", arguments: ["branch"] },
        { name: "git:commit", description: "Commit", arguments: [] },
      ],
      resources: [{ name: "notes:today", description: "" }],
    };
    emit({ op: "ack", view, id: model.sent.at(-1)?.id ?? "", ok: true, result });
    await vi.waitFor(() => expect(names(el).length).toBeGreaterThan(0));
    return { el, input };
  }

  test("are chosen with the arrow keys and Enter, which sends nothing", async () => {
    const { el, input } = await typing("/git");
    const shown = names(el);

    press(input, "ArrowDown");
    press(input, "Enter");

    expect(shown).toEqual(["/git:review", "/git:commit"]);
    expect(input.value).toBe("/git:commit ");
    expect(sends()).toEqual([]);
    expect(names(el)).toEqual([]);
  });

  test("are left by Escape, which stops nothing", async () => {
    const { el, input } = await typing("see @no");

    press(input, "Escape");

    expect(names(el)).toEqual([]);
    expect(model.sent.some(({ command }) => command === "stop")).toBe(false);
    press(input, "Enter");
    expect(sends()).toEqual(["see @no"]);
  });

  test("are not asked for by other text", async () => {
    const { input } = await chat();

    type(input, "1/2 of me@example.com");
    await effects();

    expect(model.sent.some(({ command }) => command === "references")).toBe(false);
  });
});

describe("the card below a cell", () => {
  async function cell(more: Partial<SnapshotOp>) {
    model = new FakeModel({ turn: "t7" });
    const { el } = mount();
    await vi.waitFor(() => expect(model.sent.some(({ command }) => command === "sync")).toBe(true));
    view = model.sent.find(({ command }) => command === "sync")?.view ?? "";
    model.emit(snapshot(view, more));
    return el;
  }
  const run = toolRun({ id: "r7", message_id: "a", turn_id: "t7", label: "Mine", state: "waiting_approval" });

  test("shows the tools and questions of its turn and no others", async () => {
    const el = await cell({
      tool_runs: [run, toolRun({ message_id: "b", turn_id: "t8", label: "Other" })],
      approvals: [approval({ run_id: "r7", text: "mine" }), approval({ run_id: "r8", text: "other" })],
    });

    expect([...el.querySelectorAll(".rb-tool-label")].map((it) => it.textContent)).toEqual(["Mine"]);
    expect([...el.querySelectorAll(".rb-exact-command")].map((it) => it.textContent)).toEqual(["mine"]);
    expect(el.querySelector("textarea, [role=tablist]")).toBeNull();
  });

  test("shows what the turn asks apart from its tools", async () => {
    const question = approval({ run_id: "", kind: "question", text: "Go on?" });

    const el = await cell({ approvals: [question], state: state("waiting_approval", { turn_id: "t7" }) });
    const shown = el.querySelectorAll('[data-kind="approval"]').length;
    emit({ op: "state", state: state("waiting_approval", { turn_id: "t8" }) });

    expect(shown).toBe(1);
    expect(el.querySelectorAll('[data-kind="approval"]')).toHaveLength(0);
  });

  test("is not to be seen while there is nothing to show", async () => {
    const el = await cell({ tool_runs: [toolRun({ turn_id: "t8" })] });

    expect(el.querySelector<HTMLElement>(".rb-root")?.hidden).toBe(true);
  });
});

describe("files", () => {
  const hand = (el: Element, kind: "paste" | "drop" | "dragover", ...types: string[]) => {
    const event = new Event(kind, { bubbles: true, cancelable: true });
    el.dispatchEvent(
      Object.assign(event, { [kind === "paste" ? "clipboardData" : "dataTransfer"]: { types } }),
    );
    return event;
  };
  const complaint = (el: Element) => el.querySelector(".rb-banners")?.textContent ?? "";

  for (const kind of ["paste", "drop"] as const) {
    test(`are refused in words that say what to do instead, by ${kind}`, async () => {
      const { el, input } = await chat();
      type(input, "mine");

      const event = hand(input, kind, "Files");

      await vi.waitFor(() => expect(complaint(el)).toContain("cannot be attached"));
      expect(complaint(el)).toContain("Name the file's path, or a variable that holds it");
      expect(input.value).toBe("mine");
      // The browser would leave the notebook for a file that is dropped.
      expect(event.defaultPrevented).toBe(kind === "drop");
    });
  }

  test("are no reason to refuse the text that was copied with them, nor text alone", async () => {
    const { el, input } = await chat();

    const events = [
      hand(input, "paste", "text/plain", "text/html", "Files"),
      hand(input, "paste", "text/plain"),
      hand(input, "drop", "text/plain"),
    ];
    await effects();

    expect(complaint(el)).toBe("");
    expect(events.map(({ defaultPrevented }) => defaultPrevented)).toEqual([false, false, false]);
  });

  test("may be held over the chat, so that it can say so", async () => {
    const { input } = await chat();

    expect(hand(input, "dragover", "Files").defaultPrevented).toBe(true);
    expect(hand(input, "dragover", "text/plain").defaultPrevented).toBe(false);
  });
});

describe("the frame", () => {
  test("has tabs for the arrow keys", async () => {
    const { el } = await chat();
    const selected = () => el.querySelector('[role="tab"][aria-selected="true"]')?.textContent;
    const bar = el.querySelector('[role="tablist"]') as Element;

    press(bar, "ArrowLeft");
    const last = selected();
    press(bar, "Home");

    expect(last).toBe("Settings");
    expect(selected()).toBe("Chat");
    expect(document.activeElement?.textContent).toBe("Chat");
  });

  test("says when the kernel is gone, and keeps what was typed", async () => {
    const { el, input } = await chat();
    type(input, "precious");

    model.isDead = true;
    model.trigger("comm_live_update");
    press(input, "Enter");

    expect(el.querySelector(".rb-banners")?.textContent).toContain("Kernel restarted: run the cell again");
    expect(input.value).toBe("precious");
  });

  test("says when the kernel is busy, and how to interrupt it", async () => {
    const { el, input } = await chat({ has_subshells: false });
    type(input, "Hello");
    press(input, "Enter");

    await vi.waitFor(
      () => expect(el.querySelector(".rb-banners")?.textContent).toContain("Kernel busy, queued"),
      {
        timeout: 2000,
      },
    );
    expect(el.querySelector(".rb-banners")?.textContent).toContain("only between cells");
    expect(el.querySelector(".rb-on-the-way")?.textContent).toContain("Hello");
  });

  test("shows the same in two views, each with its own draft", async () => {
    const first = await chat({ messages: [message({ role: "user", text: "Hi" })] });
    const second = mount(first.made, false);
    type(first.input, "mine");

    emit({ op: "message", message: message({ role: "user", text: "Both" }) });

    const texts = (el: Element) => [...el.querySelectorAll(".rb-bubble")].map((it) => it.textContent);
    expect(texts(first.el)).toEqual(["Hi", "Both"]);
    expect(texts(second.el)).toEqual(["Hi", "Both"]);
    expect(second.el.querySelector<HTMLTextAreaElement>(".rb-composer textarea")?.value).toBe("");
    expect(model.sent.filter(({ command }) => command === "sync")).toHaveLength(1);
  });

  test("leaves nothing behind when its view is removed", async () => {
    const { el } = await chat();

    for (const clean of cleanups.splice(0)) clean();

    expect(el.childElementCount).toBe(0);
  });

  test("gives every button a name and every field a label", async () => {
    const { el } = await chat({
      messages: [
        message({ role: "user", text: "Hi" }),
        message({ text: "```\nx\n```", status: "interrupted" }),
      ],
      queue: [{ id: "q", text: "Next", source: "chat" }],
      notices: [{ id: "n", level: "info", text: "Note" }],
      state: state("responding"),
    });

    const unnamed = [...el.querySelectorAll("button, textarea, input, select")].filter(
      (it) => !(it.getAttribute("aria-label") || it.textContent?.trim() || it.id),
    );
    expect(unnamed).toEqual([]);
  });
});
