import { describe, expect, test } from "vitest";
import { type Commands, parseEnvelope, parseLibraryHeader, type StateView } from "../src/protocol";
import { reduce } from "../src/state/reducer";
import { INITIAL_STATE } from "../src/state/state";
import { commands, fixture, ops } from "./fixtures";

/** Every command of `Commands`, so that the compiler misses none. */
const COMMANDS: Record<keyof Commands, true> = {
  sync: true,
  send: true,
  stop: true,
  regenerate: true,
  shorten: true,
  continue: true,
  edit: true,
  queue_edit: true,
  queue_remove: true,
  queue_send_now: true,
  new_conversation: true,
  earlier_messages: true,
  dismiss_notice: true,
  set_model: true,
  models: true,
  settings: true,
  save_settings: true,
  use_profile: true,
  set_key: true,
  forget_key: true,
  check_connection: true,
  find_servers: true,
  subscribe: true,
  unsubscribe: true,
  events_before: true,
  event: true,
  approve: true,
  deny: true,
  cancel_tool: true,
  tool_run: true,
  set_approve_mode: true,
  tools: true,
  enable_tool: true,
  remove_rule: true,
  mcp_server: true,
  mcp_log: true,
  references: true,
  library: true,
};

describe("the protocol", () => {
  test("has the commands of the kernel", () => {
    expect([...commands.keys()].sort()).toEqual(Object.keys(COMMANDS).sort());
  });

  for (const [name, op] of ops) {
    test(`takes the op ${name}`, () => {
      const envelope = parseEnvelope({ rustbot: 1, epoch: "e1", seq: 1, ops: [op] });

      expect(envelope).toEqual({ epoch: "e1", seq: 1, ops: [op] });
      if (typeof envelope === "string") return;
      const after = reduce(INITIAL_STATE, { type: "envelope", envelope, view: "v1", now: Date.now() });
      expect(after.seq).toBe(1);
    });
  }

  test("reads an envelope", () => {
    const envelope = parseEnvelope(fixture("envelope"));

    expect(envelope).toMatchObject({ epoch: "e1", seq: 1, ops: [{ op: "state" }, { op: "text" }] });
  });

  test("brings a lone surrogate back as it was typed", () => {
    const envelope = parseEnvelope(fixture("envelope_escaped"));

    expect(envelope).toMatchObject({ seq: 2, ops: [{ op: "text", text: "a\ud800b" }] });
  });

  test("reads the header of a library", () => {
    expect(parseLibraryHeader(fixture("library_header"))).toMatchObject({
      library: "katex",
      encoding: "gzip",
    });
  });

  for (const content of [
    null,
    7,
    "x",
    [],
    {},
    { rustbot: 2 },
    { rustbot: 1, epoch: "e", seq: "1", ops: [] },
  ]) {
    test(`says why ${JSON.stringify(content)} is no envelope`, () => {
      expect(typeof parseEnvelope(content)).toBe("string");
    });
  }

  test("leaves out ops it does not know and keeps the others", () => {
    const state: StateView = {
      state: "idle",
      turn_id: null,
      since: 0,
      waiting_for_provider: false,
      retry: null,
    };

    const envelope = parseEnvelope({
      rustbot: 1,
      epoch: "e",
      seq: 1,
      ops: [{ op: "hologram" }, null, { op: "state", state }],
    });

    expect(envelope).toEqual({ epoch: "e", seq: 1, ops: [{ op: "state", state }] });
  });
});
