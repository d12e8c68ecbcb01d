import { describe, expect, test } from "vitest";
import { approval, message, snapshot, state, toolRun } from "../../dev/fake";
import type { Op } from "../../src/protocol";
import { reduce } from "../../src/state/reducer";
import { INITIAL_STATE, type State } from "../../src/state/state";
import { MOST_OUTPUT } from "../../src/state/toolRuns";

const VIEW = "v1";

function receive(before: State, seq: number, ...ops: Op[]): State {
  return reduce(before, { type: "envelope", envelope: { epoch: "e1", seq, ops }, view: VIEW, now: 1000 });
}

const live = (...messages: ReturnType<typeof message>[]): State =>
  receive(INITIAL_STATE, 1, snapshot(VIEW, { messages }));

describe("a snapshot", () => {
  test("makes the page live", () => {
    const after = live(message({ text: "Hello" }));

    expect(after.connection).toBe("live");
    expect(after.messages.map(({ text }) => text)).toEqual(["Hello"]);
  });

  test("for another view changes nothing but the number", () => {
    const after = receive(INITIAL_STATE, 1, snapshot("other"));

    expect(after.connection).toBe("loading");
  });
});

describe("text", () => {
  const begun = message({ id: "a", status: "streaming", text: "Grüße " });

  test("is added at its offset", () => {
    const after = receive(live(begun), 2, { op: "text", id: "a", offset: 6, text: "aus Rom" });

    expect(after.messages[0]).toMatchObject({ text: "Grüße aus Rom", text_length: 13 });
  });

  test("is counted in code points", () => {
    const smile = receive(live(message({ id: "a", text: "" })), 2, {
      op: "text",
      id: "a",
      offset: 0,
      text: "😀👩‍💻",
    });

    const after = receive(smile, 3, { op: "text", id: "a", offset: 4, text: "!" });

    expect(after.messages[0]).toMatchObject({ text: "😀👩‍💻!", text_length: 5 });
  });

  test("that came twice is taken once", () => {
    const op: Op = { op: "text", id: "a", offset: 6, text: "aus" };

    const after = receive(receive(live(begun), 2, op), 3, op);

    expect(after.messages[0]?.text).toBe("Grüße aus");
  });

  test("that overlaps is taken from where it is new", () => {
    const after = receive(live(begun), 2, { op: "text", id: "a", offset: 4, text: "e aus" });

    expect(after.messages[0]?.text).toBe("Grüße aus");
  });

  test("behind a gap asks for a snapshot", () => {
    const after = receive(live(begun), 2, { op: "text", id: "a", offset: 9, text: "x" });

    expect(after.needsSync).toBe(true);
    expect(after.messages[0]?.text).toBe("Grüße ");
  });

  test("of a message nobody announced asks for a snapshot", () => {
    expect(receive(live(), 2, { op: "text", id: "z", offset: 0, text: "x" }).needsSync).toBe(true);
  });

  test("of reasoning has its own offsets", () => {
    const after = receive(live(begun), 2, { op: "reasoning", id: "a", offset: 0, text: "hm" });

    expect(after.messages[0]).toMatchObject({ reasoning: "hm", reasoning_length: 2, text: "Grüße " });
  });
});

describe("envelopes", () => {
  test("that came already are dropped", () => {
    const before = live();

    expect(receive(before, 1, { op: "message", message: message({}) })).toBe(before);
  });

  test("after a missing one ask for a snapshot", () => {
    expect(receive(live(), 3).needsSync).toBe(true);
  });

  test("of another life of the kernel's side ask for a snapshot", () => {
    const envelope = { epoch: "e2", seq: 1, ops: [] };

    const after = reduce(live(), { type: "envelope", envelope, view: VIEW, now: 0 });

    expect(after).toMatchObject({ needsSync: true, epoch: "e2", seq: 1 });
  });

  test("prove that a kernel thought lost is alive", () => {
    const gone = reduce(live(), { type: "gone", ending: "restarted" });

    const after = receive(gone, 2);

    expect(gone.connection).toBe("gone");
    expect(after).toMatchObject({ connection: "loading", needsSync: true });
  });
});

describe("messages", () => {
  test("with a known id are replaced, others added", () => {
    const before = live(message({ id: "a", text: "1" }));

    const after = receive(
      before,
      2,
      { op: "message", message: message({ id: "a", text: "2" }) },
      { op: "message", message: message({ id: "b", text: "3" }) },
    );

    expect(after.messages.map(({ text }) => text)).toEqual(["2", "3"]);
  });

  test("are patched without touching their text", () => {
    const before = live(message({ id: "a", text: "kept", status: "streaming" }));

    const after = receive(before, 2, { op: "message_patch", id: "a", fields: { status: "complete" } });

    expect(after.messages[0]).toMatchObject({ text: "kept", status: "complete" });
  });

  test("are removed", () => {
    const after = receive(live(message({ id: "a" }), message({ id: "b" })), 2, { op: "remove", ids: ["a"] });

    expect(after.messages.map(({ id }) => id)).toEqual(["b"]);
  });

  test("of earlier pages come first, each once", () => {
    const before = live(message({ id: "c" }));

    const after = reduce(before, {
      type: "earlier_messages",
      messages: [message({ id: "a" }), message({ id: "c" })],
      toolRuns: [toolRun({ message_id: "a" })],
      hasEarlier: false,
    });

    expect(after.messages.map(({ id }) => id)).toEqual(["a", "c"]);
    expect(after.toolRuns.get("a")).toHaveLength(1);
  });

  test("are dropped with their conversation", () => {
    const after = receive(live(message({})), 2, { op: "reset", conversation: { id: "c2", title: "New" } });

    expect(after).toMatchObject({ messages: [], conversation: { id: "c2" } });
  });
});

describe("tool calls", () => {
  const begun = toolRun({ id: "r", message_id: "a", state: "running", output: "Grüße" });
  const running = receive(live(message({ id: "a" })), 2, { op: "tool_run", run: begun });
  const output = (state: State) => state.toolRuns.get("a")?.[0]?.output;

  test("are kept by their message, in order, each once", () => {
    const other = toolRun({ id: "s", message_id: "a" });

    const after = receive(
      running,
      3,
      { op: "tool_run", run: other },
      { op: "tool_run", run: { ...begun, state: "complete" } },
    );

    expect(after.toolRuns.get("a")?.map(({ id, state }) => [id, state])).toEqual([
      ["r", "complete"],
      ["s", "complete"],
    ]);
  });

  test("leave the calls of other messages as they are", () => {
    const before = receive(running, 3, { op: "tool_run", run: toolRun({ message_id: "b" }) });

    const after = receive(before, 4, { op: "tool_run", run: { ...begun, state: "error" } });

    expect(after.toolRuns.get("b")).toBe(before.toolRuns.get("b"));
    expect(after.toolRuns.get("a")).not.toBe(before.toolRuns.get("a"));
  });

  test("print at an offset in code points, twice taken once", () => {
    const first = receive(running, 3, { op: "tool_output", id: "r", offset: 5, text: " 👩‍💻" });

    const after = receive(first, 4, { op: "tool_output", id: "r", offset: 8, text: "💻!" });

    expect(output(after)).toBe("Grüße 👩‍💻!");
    expect(receive(after, 5, { op: "tool_output", id: "r", offset: 5, text: " 👩‍💻" }).toolRuns).toBe(
      after.toolRuns,
    );
  });

  for (const [what, op] of [
    ["behind a gap", { op: "tool_output", id: "r", offset: 6, text: "x" }],
    ["of a call nobody announced", { op: "tool_output", id: "z", offset: 0, text: "x" }],
  ] as const) {
    test(`output ${what} asks for a snapshot`, () => {
      const after = receive(running, 3, op);

      expect(after.needsSync).toBe(true);
      expect(output(after)).toBe("Grüße");
    });
  }

  test("output before the first snapshot is left to it", () => {
    const after = receive(INITIAL_STATE, 1, { op: "tool_output", id: "r", offset: 9, text: "x" });

    expect(after.needsSync).toBe(false);
  });

  test("keep the end of much output, and count all of it", () => {
    const text = "x".repeat(MOST_OUTPUT);

    const after = receive(running, 3, { op: "tool_output", id: "r", offset: 5, text });

    expect(output(after)).toBe(text);
    expect(after.toolRuns.get("a")?.[0]?.output_length).toBe(MOST_OUTPUT + 5);
  });

  test("go with their message and with their conversation", () => {
    const removed = receive(running, 3, { op: "remove", ids: ["a"] });
    const reset = receive(running, 3, { op: "reset", conversation: { id: "c2", title: "" } });

    expect([removed.toolRuns.size, reset.toolRuns.size]).toEqual([0, 0]);
  });

  test("are what a snapshot says", () => {
    const after = receive(running, 3, snapshot(VIEW, { tool_runs: [toolRun({ message_id: "b" })] }));

    expect([...after.toolRuns.keys()]).toEqual(["b"]);
  });

  test("are stopped, and nothing waits for the user, when the kernel is gone", () => {
    const waiting = receive(running, 3, { op: "approvals", items: [approval()] });

    const after = reduce(waiting, { type: "gone", ending: "restarted" });

    expect(after.toolRuns.get("a")?.[0]?.state).toBe("interrupted");
    expect(after.approvals).toEqual([]);
  });
});

test("what waits for the user and the mode are what was said last", () => {
  const item = approval();

  const after = receive(live(), 2, { op: "approvals", items: [item] }, { op: "approve_mode", mode: "allow" });

  expect(after).toMatchObject({ approvals: [item], approveMode: "allow" });
});

test("the difference of the clocks is the smallest that was seen", () => {
  const late = receive(live(), 2, { op: "state", state: state("processing", { since: 500 }) });
  const prompt = receive(late, 3, { op: "state", state: state("idle", { since: 990 }) });

  expect([late.clockSkew, prompt.clockSkew]).toEqual([500, 10]);
});

test("rows of events are kept in order and once", () => {
  const row = (seq: number) => ({
    seq,
    time: 0,
    kind: "k",
    priority: "NORMAL" as const,
    state: null,
    turn_id: null,
    duration_s: null,
    summary: "",
  });
  const before = receive(live(), 2, { op: "events", rows: [row(5), row(6)] });

  const after = reduce(before, { type: "event_rows", rows: [row(3), row(4), row(5)], hasEarlier: true });

  expect(after.events.map(({ seq }) => seq)).toEqual([3, 4, 5, 6]);
});
