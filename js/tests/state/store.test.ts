import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FakeModel, snapshot, state } from "../../dev/fake";
import { type CommandFailed, Store } from "../../src/state/store";
import { AnyModelTransport } from "../../src/transport";

let model: FakeModel;
let store: Store;
let closed: AbortController;

beforeEach(() => {
  vi.useFakeTimers();
  model = new FakeModel();
  closed = new AbortController();
  store = new Store(new AnyModelTransport(model as never), closed.signal);
});

afterEach(() => {
  closed.abort();
  vi.useRealTimers();
});

const sent = () => model.sent.map(({ command }) => command);

async function makeLive(): Promise<void> {
  store.open();
  await vi.advanceTimersByTimeAsync(0);
  const [sync] = model.sent;
  if (!sync) throw new Error("no sync was sent");
  model.ack(sync);
  model.emit(snapshot(store.view));
}

describe("a store", () => {
  test("asks for a snapshot when it is opened, not again when it has one", async () => {
    await makeLive();

    store.open();
    await vi.advanceTimersByTimeAsync(2000);

    expect(sent()).toEqual(["sync"]);
    expect(store.state.value.connection).toBe("live");
  });

  test("asks again for a snapshot that does not come, ever more rarely, until it has one", async () => {
    store.open();
    await vi.advanceTimersByTimeAsync(60_000);
    const asked = model.sent.filter(({ command }) => command === "sync");
    expect(asked.length).toBeGreaterThan(3);
    expect(asked.length).toBeLessThan(12);
    expect(new Set(asked.map(({ id }) => id)).size).toBe(asked.length);

    // What the cell that ran kept until its end is answered after what was asked later.
    for (const sync of [...asked].reverse()) model.ack(sync);
    model.emit(snapshot(store.view));
    model.sent.length = 0;
    await vi.advanceTimersByTimeAsync(300_000);
    expect(sent()).toEqual([]);
    expect(store.isKernelSlow.value).toBe(false);
  });

  test("asks for a snapshot after a gap, at most once a second", async () => {
    await makeLive();

    for (let count = 0; count < 20; count++) {
      model.skip();
      model.emit();
      await vi.advanceTimersByTimeAsync(50);
    }

    expect(sent().filter((name) => name === "sync").length).toBeLessThanOrEqual(3);
    expect(sent().filter((name) => name === "sync").length).toBeGreaterThan(1);
  });

  test("gives the result of an acknowledgement to who asked", async () => {
    const answer = store.command("models", { words: "x" });
    const [command] = model.sent;

    if (command) model.ack(command, { models: [], age_s: 1 });

    expect(await answer).toEqual({ models: [], age_s: 1 });
  });

  test("tells who asked why the kernel refused", async () => {
    const answer = store.command("stop", {});
    const [command] = model.sent;

    model.emit({ op: "ack", view: store.view, id: command?.id ?? "", ok: false, error: "Nothing runs." });

    await expect(answer).rejects.toThrow("Nothing runs.");
  });

  test("takes no notice of answers to other views", async () => {
    const answer = store.command("stop", {});
    let isSettled = false;
    answer.finally(() => {
      isSettled = true;
    });

    model.emit({ op: "ack", view: "other", id: model.sent[0]?.id ?? "", ok: true });
    await vi.advanceTimersByTimeAsync(0);

    expect(isSettled).toBe(false);
  });
});

describe("a kernel that does not answer", () => {
  test("counts as busy after a second, until it answers", async () => {
    store.command("send", { text: "Hello" });
    await vi.advanceTimersByTimeAsync(900);
    const early = store.isKernelSlow.value;

    await vi.advanceTimersByTimeAsync(200);
    const late = store.isKernelSlow.value;
    const [command] = model.sent;
    if (command) model.ack(command);

    expect([early, late, store.isKernelSlow.value]).toEqual([false, true, false]);
  });

  test("does not count as busy while it asks another server", async () => {
    store.command("check_connection", {});

    await vi.advanceTimersByTimeAsync(3000);

    expect(store.isKernelSlow.value).toBe(false);
  });

  test("gets a lost command again, once, with the same id", async () => {
    store.command("send", { text: "lost" });
    await vi.advanceTimersByTimeAsync(6000);

    for (let count = 0; count < 2; count++) {
      store.command("stop", {});
      const stop = model.sent.findLast(({ command }) => command === "stop");
      if (stop) model.ack(stop);
    }

    const sends = model.sent.filter(({ command }) => command === "send");
    expect(sends).toHaveLength(2);
    expect(sends[0]?.id).toBe(sends[1]?.id);
  });
});

describe("a kernel that is gone", () => {
  test("is noticed when sending fails", async () => {
    model.isDead = true;

    await expect(store.command("send", { text: "Hello" })).rejects.toThrow("run the cell again");
    expect(store.state.value.connection).toBe("gone");
  });

  for (const news of ["comm_live_update", "comm:close", "destroy"]) {
    test(`is noticed by ${news}, and who waits is told`, async () => {
      await makeLive();
      const answer = store.command("send", { text: "Hello" }).catch((error: CommandFailed) => error.message);

      model.trigger(news);

      expect(await answer).toContain("run the cell again");
      expect(store.state.value.connection).toBe("gone");
      expect(store.isKernelSlow.value).toBe(false);
    });
  }

  test("is back with its first message", async () => {
    await makeLive();
    model.trigger("comm_live_update");

    model.emit();
    await vi.advanceTimersByTimeAsync(1500);

    expect(sent().at(-1)).toBe("sync");
  });
});

describe("a kernel at work that says nothing", () => {
  const working = (more = {}) => snapshot(store.view, { state: state("responding"), ...more });
  const asked = () => sent().filter((name) => name === "sync").length;
  const connection = () => store.state.value.connection;

  async function makeBusy(more = {}): Promise<void> {
    await makeLive();
    model.emit(working(more));
    // The first of them showed the chat.
    model.sent.length = 0;
  }

  test("is asked for a sign of life after 20 s, and called silent 10 s later", async () => {
    await makeBusy();
    await vi.advanceTimersByTimeAsync(19_900);
    const early = asked();
    await vi.advanceTimersByTimeAsync(200);
    const late = asked();
    await vi.advanceTimersByTimeAsync(9_700);
    const waited = connection();
    await vi.advanceTimersByTimeAsync(300);

    expect([early, late]).toEqual([0, 1]);
    expect([waited, connection()]).toEqual(["live", "silent"]);
  });

  test("is live again with its next message", async () => {
    await makeBusy();
    await vi.advanceTimersByTimeAsync(31_000);
    const before = connection();

    model.emit(working());

    expect([before, connection()]).toEqual(["silent", "live"]);
  });

  test("is left alone when it answers, or goes on writing", async () => {
    await makeBusy();
    for (let count = 0; count < 5; count++) {
      await vi.advanceTimersByTimeAsync(15_000);
      model.emit();
    }
    const whileItWrites = asked();
    await vi.advanceTimersByTimeAsync(20_100);
    const question = model.sent.at(-1);
    if (question) model.ack(question);
    await vi.advanceTimersByTimeAsync(15_000);

    expect([whileItWrites, asked()]).toEqual([0, 1]);
    expect(connection()).toBe("live");
  });

  test("is asked when the page comes to be seen again, and not just after it was heard", async () => {
    await makeLive();
    model.sent.length = 0;
    const isSeen = vi.spyOn(document, "visibilityState", "get").mockReturnValue("visible");
    const show = () => document.dispatchEvent(new Event("visibilitychange"));
    show();
    const justHeard = asked();
    await vi.advanceTimersByTimeAsync(60_000);
    const idle = asked();
    isSeen.mockReturnValue("hidden");
    show();
    const hidden = asked();
    isSeen.mockReturnValue("visible");
    show();
    await vi.advanceTimersByTimeAsync(10_100);

    expect([justHeard, idle, hidden, asked()]).toEqual([0, 0, 0, 1]);
    expect(connection()).toBe("silent");
    isSeen.mockRestore();
  });

  test("is not asked before ipykernel 7, where a running cell keeps it from answering", async () => {
    await makeBusy({ has_subshells: false });

    await vi.advanceTimersByTimeAsync(60_000);

    expect(asked()).toBe(0);
    expect(connection()).toBe("live");
  });

  test("of a server that was restarted is gone when nothing can be sent to it", async () => {
    await makeBusy();
    model.isDead = true;

    await vi.advanceTimersByTimeAsync(20_100);

    expect(connection()).toBe("gone");
  });
});

describe("events", () => {
  test("are asked for while somebody looks, once for all", () => {
    const first = store.watchEvents();
    const second = store.watchEvents();
    first();
    first();
    const whileOneLooks = sent();
    second();

    expect(whileOneLooks).toEqual(["subscribe"]);
    expect(sent()).toEqual(["subscribe", "unsubscribe"]);
  });
});

describe("a library", () => {
  test("is the buffer that answers its request", async () => {
    const loading = store.library("katex", 1000);
    const { id, view } = model.sent[0] ?? { id: "", view: "" };
    const data = new DataView(new ArrayBuffer(4));

    model.trigger("msg:custom", { rustbot: 1, library: "katex", id: "other", view, encoding: "gzip" }, [
      data,
    ]);
    model.trigger("msg:custom", { rustbot: 1, library: "katex", id, view, encoding: "gzip" }, [data]);

    expect((await loading).data).toBe(data);
  });

  test("that does not come is not waited for without end", async () => {
    const loading = store.library("katex", 1000).catch((error: Error) => error.message);

    await vi.advanceTimersByTimeAsync(1000);

    expect(await loading).toContain("No answer");
  });
});

test("a message that is none is warned about and dropped", () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});

  model.trigger("msg:custom", { hello: "world" });

  expect(warn).toHaveBeenCalledOnce();
  expect(store.state.value.seq).toBe(0);
});

test("after its end a store hears nothing", () => {
  closed.abort();

  model.emit(snapshot(store.view));

  expect(store.state.value.connection).toBe("loading");
});
