import { options, render } from "preact";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { toolRun } from "../../dev/fake";
import type { RunState, ToolRunView } from "../../src/protocol";
import { type ToolActions, ToolCards } from "../../src/tools/ToolCards";
import { hasHidden } from "../../src/ui/hidden";
import { HOSTILE } from "../hostile";

let place: HTMLElement;
let actions: ToolActions;
let now = 0;

beforeEach(() => {
  options.debounceRendering = (draw) => draw();
  place = document.createElement("div");
  document.body.append(place);
  now = 10_000;
  actions = {
    cancelTool: vi.fn(async () => true),
    wholeRun: vi.fn(async () => ({ arguments: "all arguments", result: "all of the result" })),
    loadPlotly: () => Promise.reject(new Error("There is no figure here.")),
    kernelNow: () => now,
  };
});

afterEach(() => {
  render(null, place);
  document.body.replaceChildren();
});

const show = (...runs: ToolRunView[]) => render(<ToolCards runs={runs} actions={actions} />, place);
const cards = () => [...place.querySelectorAll<HTMLElement>('[data-kind="tool"]')];
const button = (name: string) => place.querySelector<HTMLButtonElement>(`button[aria-label="${name}"]`);

function unfold(details: Element | null | undefined): void {
  if (!(details instanceof HTMLDetailsElement)) throw new Error("nothing to unfold");
  details.open = true;
  details.dispatchEvent(new Event("toggle"));
}

describe("a card", () => {
  test("says what, by which tool, with what, and how far it is", () => {
    show(
      toolRun({
        label: "Read a file",
        tool: "read_file",
        arguments: '{"path": "notes.txt"}',
        duration_s: 1.25,
      }),
    );

    const text = cards()[0]?.querySelector("summary")?.textContent;
    for (const part of ["Read a file", "read_file", "notes.txt", "Done", "1.3 s"])
      expect(text).toContain(part);
  });

  for (const [state, words] of [
    ["waiting", "Waiting for its turn"],
    ["waiting_approval", "Waiting for you"],
    ["waiting_kernel", "Waiting for the kernel"],
    ["running", "Running"],
    ["complete", "Done"],
    ["error", "Failed"],
    ["refused", "Refused"],
    ["timeout", "Timed out"],
    ["interrupted", "Stopped"],
  ] satisfies [RunState, string][]) {
    const isOver = ["complete", "error", "refused", "timeout", "interrupted"].includes(state);

    test(`that is ${state} says so, and ${isOver ? "has nothing to cancel" : "can be cancelled"}`, () => {
      show(toolRun({ state }));

      expect(cards()[0]?.dataset.state).toBe(state);
      expect(cards()[0]?.textContent).toContain(words);
      expect(button("Cancel") === null).toBe(isOver);
    });
  }

  test("counts while it runs, by the kernel's clock", async () => {
    show(toolRun({ state: "running", started_at: 7000, duration_s: null }));
    const before = place.querySelector(".rb-tool-time")?.textContent;

    now = 12_500;

    expect(before).toBe("3.0 s");
    await vi.waitFor(() => expect(place.querySelector(".rb-tool-time")?.textContent).toBe("5.5 s"), 5000);
  });

  test("is cancelled once, however often the button is pressed", () => {
    show(toolRun({ id: "r1", state: "running" }));

    button("Cancel")?.click();
    button("Cancel")?.click();

    expect(actions.cancelTool).toHaveBeenCalledExactlyOnceWith("r1");
  });

  test("can be cancelled again after a refusal", async () => {
    actions.cancelTool = vi.fn(async () => false);
    show(toolRun({ state: "running" }));

    button("Cancel")?.click();

    await vi.waitFor(() => expect(button("Cancel")?.disabled).toBe(false));
  });

  test("shows what is printed while it runs, and folds it in the end", () => {
    const run = toolRun({ state: "running", output: "line 1\nline 2\n" });
    show(run);
    const live = place.querySelector(".rb-tool-output")?.textContent;

    show({ ...run, state: "complete" });

    expect(live).toBe("line 1\nline 2\n");
    expect(place.querySelector(".rb-tool-output")).toBeNull();
  });

  test("says that the beginning of long output is left out", () => {
    show(toolRun({ state: "running", output: "x".repeat(90_000), output_length: 200_000 }));

    const text = place.querySelector(".rb-tool-output")?.textContent ?? "";
    expect(text).toContain("the beginning is left out");
    expect(text.length).toBeLessThan(25_000);
  });

  test("shows of terminal output what a terminal would in the end", () => {
    show(toolRun({ state: "running", output: "\u001b[31mred\u001b[0m\n 10%\r 99%\r\nend\u0008" }));

    expect(place.querySelector(".rb-tool-output")?.textContent).toBe("red\n 99%\nendU+0008");
  });

  test("has its arguments, result and consent behind the fold", () => {
    show(toolRun({ arguments: '{"a": 1}', result: "two", approval: "allowed by rule a *" }));
    const closed = place.textContent;

    unfold(cards()[0]?.querySelector("details"));

    expect(closed).not.toContain("two");
    for (const part of ['{"a": 1}', "two", "Built in", "allowed by rule a *"])
      expect(place.textContent).toContain(part);
  });

  test("fetches all of what was cut", async () => {
    show(toolRun({ id: "r1", result: "all of", result_is_cut: true }));
    unfold(cards()[0]?.querySelector("details"));

    button("Show all")?.click();

    await vi.waitFor(() => expect(place.textContent).toContain("all of the result"));
    expect(actions.wholeRun).toHaveBeenCalledExactlyOnceWith("r1");
    expect(button("Show all")).toBeNull();
  });

  for (const state of ["error", "refused", "timeout"] as const) {
    test(`that is ${state} says why without unfolding`, () => {
      show(toolRun({ state, result: "There is no file 'x'.\nTraceback…" }));

      expect(place.querySelector(".rb-tool-why")?.textContent).toBe("There is no file 'x'.");
    });
  }

  test("that raised something says what, not where", () => {
    const result =
      'before\nTraceback (most recent call last):\n  File "In[3]", line 1\nValueError: no\nnumber';
    show(toolRun({ state: "error", result }));

    expect(place.querySelector(".rb-tool-why")?.textContent).toBe("ValueError: no");
  });
});

describe("several", () => {
  const over = [
    toolRun({ label: "One" }),
    toolRun({ label: "Two", state: "error" }),
    toolRun({ label: "Three" }),
  ];

  test("are one line once they are over", () => {
    show(...over);

    expect(cards()).toHaveLength(0);
    expect(place.querySelector("summary")?.textContent).toContain("3 tools used · 1 failed · 1.2 s");
    expect(place.querySelector("summary")?.textContent).toContain("One, Two, Three");
  });

  test("unfold into their cards", () => {
    show(...over);

    unfold(place.querySelector('[data-kind="tools"]'));

    expect(cards()).toHaveLength(3);
  });

  test("of which one runs keep it in sight", () => {
    show(...over, toolRun({ label: "Four", state: "running" }));

    expect(cards().map((it) => it.querySelector(".rb-tool-label")?.textContent)).toEqual(["Four"]);
  });

  test("are not folded over one that is being read", () => {
    const [first, second] = [toolRun(), toolRun({ state: "running" })];
    show(first, second);
    unfold(cards()[0]?.querySelector("details"));

    show(first, { ...second, state: "complete" });

    expect(cards()).toHaveLength(2);
    expect(cards()[0]?.querySelector("details")?.open).toBe(true);
  });
});

describe("pictures", () => {
  const sources = () => [...place.querySelectorAll("img")].map((it) => it.getAttribute("src"));

  test("are shown, of folded calls, too", () => {
    show(toolRun({ images: [{ media_type: "image/png", data: "iVBORw0KGgo=" }] }), toolRun());

    expect(sources()).toEqual(["data:image/png;base64,iVBORw0KGgo="]);
  });

  for (const [media_type, data] of [
    ["image/svg+xml", "PHN2Zz4="],
    ["text/html", "PGI+"],
    ["image/png,<svg onload=alert(1)>", "iVBORw0KGgo="],
    ["constructor", "iVBORw0KGgo="],
    ["image/png", 'x" onerror="alert(1)'],
    ["image/png", "https://evil.test/pixel.png"],
    ["image/png", ""],
  ] as const) {
    test(`of type ${media_type} with data ${data} are not`, () => {
      show(toolRun({ images: [{ media_type, data }] }));

      expect(sources()).toEqual([]);
    });
  }
});

describe("texts of others are nothing but text", () => {
  for (const text of HOSTILE) {
    test(JSON.stringify(text), () => {
      const run = toolRun({
        tool: text,
        label: text,
        source: `mcp:${text}`,
        arguments: JSON.stringify({ [text]: text }),
        output: text,
        result: text,
        approval: `allowed by rule ${text}`,
        images: [{ media_type: text, data: text }],
      });
      show(run, { ...run, id: "b", state: "error" }, { ...run, id: "c", state: "running" });
      unfold(place.querySelector('[data-kind="tools"]'));
      for (const card of cards()) unfold(card.querySelector("details"));

      expect(
        place.querySelectorAll("script, img, iframe, style, a, b, svg[onload], [data-commandlinker-command]"),
      ).toHaveLength(0);
      expect(button("Allow once")).toBeNull();
      expect(hasHidden(place.textContent)).toBe(false);
      expect(cards().filter((it) => hasHidden(it.getAttribute("aria-label") ?? ""))).toEqual([]);
      expect((globalThis as { __xss?: unknown }).__xss).toBeUndefined();
    });
  }
});
