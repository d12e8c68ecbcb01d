import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { EventsTab } from "../../src/events/EventsTab";
import { ROW_HEIGHT } from "../../src/events/windowing";
import type { EventRow } from "../../src/protocol";
import { MOST_EVENTS } from "../../src/state/reducer";
import { type Answers, Kernel, Tab, until } from "../tab";
import { row, rows } from "./rows";

const HEIGHT = 10 * ROW_HEIGHT;
const SCROLLER = ".rb-log-scroller";
let kernels: Kernel[] = [];

beforeEach(() => {
  // jsdom lays nothing out.
  vi.stubGlobal(
    "ResizeObserver",
    class {
      observe() {}
      disconnect() {}
    },
  );
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(HEIGHT);
});

afterEach(() => {
  for (const kernel of kernels) kernel.end();
  kernels = [];
  document.body.replaceChildren();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

async function openTab(first: EventRow[], answers: Answers = {}, hasEarlier = false): Promise<Tab> {
  const kernel = new Kernel({ subscribe: () => ({ rows: first, has_earlier: hasEarlier }), ...answers });
  kernels.push(kernel);
  const tab = new Tab(EventsTab, kernel);
  await until(() => expect(kernel.store.state.value.events).toHaveLength(first.length));
  if (first.length > 0) await until(() => tab.find('[role="option"]'));
  return tab;
}

const more = (tab: Tab, ...added: EventRow[]) => tab.kernel.model.emit({ op: "events", rows: added });
const shown = (tab: Tab) =>
  tab.all('[role="option"]').map((each) => each.querySelector(".rb-log-summary")?.textContent);

function scroll(tab: Tab, top: number): void {
  tab.find(SCROLLER).scrollTop = top;
  tab.find(SCROLLER).dispatchEvent(new Event("scroll"));
}

describe("subscription", () => {
  test("begins when the tab is shown and ends when it is hidden", async () => {
    const tab = await openTab(rows(1, 3));

    tab.hide();

    await until(() => expect(tab.kernel.sent("unsubscribe")).toHaveLength(1));
    expect(tab.kernel.sent("subscribe")).toHaveLength(1);
  });

  test("after a pause without one, rows that were missed leave no hole", async () => {
    const tab = await openTab(rows(1, 3));
    tab.hide();
    const { store } = tab.kernel;

    store.dispatch({ type: "event_rows", rows: rows(10, 12), hasEarlier: true });

    expect(store.state.value.events.map((each) => each.seq)).toEqual([10, 11, 12]);
    expect(store.state.value.hasEarlierEvents).toBe(true);
  });

  test("nothing yet is said in words", async () => {
    const tab = await openTab([]);

    expect(tab.text).toContain("Nothing has happened yet");
  });
});

describe("the list", () => {
  test("draws few of 50,000 rows, the newest at the bottom", async () => {
    const tab = await openTab(rows(1, MOST_EVENTS));

    expect(tab.all('[role="option"]').length).toBeLessThan(40);
    expect(shown(tab).at(-1)).toBe("event 50000");
    expect(tab.text).toContain("50,000 events");
  });

  test("keeps the newest 50,000", async () => {
    const tab = await openTab(rows(1, MOST_EVENTS));

    more(tab, ...rows(MOST_EVENTS + 1, MOST_EVENTS + 10));

    await until(() => expect(shown(tab).at(-1)).toBe("event 50010"));
    expect(tab.kernel.store.state.value.events).toHaveLength(MOST_EVENTS);
  });

  test("follows the newest until the reader scrolls up, and again on request", async () => {
    const tab = await openTab(rows(1, 1000));
    const end = 1000 * ROW_HEIGHT - HEIGHT;
    expect(tab.find(SCROLLER).scrollTop).toBe(end);

    scroll(tab, end - 500);
    more(tab, ...rows(1001, 1005));
    await until(() => tab.button("Jump to newest, 5 new"));
    expect(tab.find(SCROLLER).scrollTop).toBe(end - 500);
    tab.click("Jump to newest, 5 new");

    await until(() => expect(shown(tab).at(-1)).toBe("event 1005"));
    expect(tab.find(SCROLLER).scrollTop).toBe(1005 * ROW_HEIGHT - HEIGHT);
  });

  test("stays where the reader is when earlier rows are loaded", async () => {
    const events_before = () => ({ rows: rows(1, 500), has_earlier: false });
    const tab = await openTab(rows(501, 1000), { events_before }, true);

    scroll(tab, 10);

    await until(() => expect(tab.text).toContain("1,000 events"));
    expect(tab.kernel.sent("events_before")).toMatchObject([{ seq: 501 }]);
    expect(tab.find(SCROLLER).scrollTop).toBe(500 * ROW_HEIGHT + 10);
    expect(tab.all('button[aria-label="Load earlier"]')).toEqual([]);
  });

  test("shows texts of the kernel as texts", async () => {
    const hostile = "<img src=x onerror=alert(1)>";

    const tab = await openTab([
      row(1, { summary: hostile, kind: hostile, turn_id: hostile, state: hostile }),
    ]);

    expect(tab.all("img")).toEqual([]);
    expect(shown(tab)).toEqual([hostile]);
  });
});

describe("filters", () => {
  const some = [
    row(1, { kind: "turn_started", turn_id: "turn-a" }),
    row(2, { kind: "turn_failed", priority: "HIGH", turn_id: "turn-a", summary: "rate limited" }),
    row(3, { kind: "metrics_sampled", priority: "LOW", turn_id: "turn-b" }),
  ];

  test("by text, and away again", async () => {
    const tab = await openTab(some);

    tab.type('input[type="search"]', "LIMITED");
    await until(() => expect(shown(tab)).toEqual(["rate limited"]));
    expect(tab.text).toContain("1 of 3 events");
    tab.click("Clear filters");

    await until(() => expect(shown(tab)).toHaveLength(3));
  });

  test("by priority and kind, several at once", async () => {
    const tab = await openTab(some);

    tab.click("Filter by kind");
    const kinds = await until(() => {
      const boxes = tab.all('input[type="checkbox"]');
      expect(boxes).toHaveLength(3);
      return boxes;
    });
    kinds[0]?.click();
    await until(() => expect(shown(tab)).toEqual(["event 3"]));
    kinds[1]?.click();
    await until(() => expect(shown(tab)).toHaveLength(2));
    tab.click("Filter by priority");
    await until(() => expect(tab.all('input[type="checkbox"]')).toHaveLength(7));
    tab.all('input[type="checkbox"]')[1]?.click();

    await until(() => expect(shown(tab)).toEqual(["rate limited"]));
  });

  test("by turn", async () => {
    const tab = await openTab(some);
    const turns = tab.find<HTMLSelectElement>("select");

    turns.value = "turn-b";
    turns.dispatchEvent(new Event("change", { bubbles: true }));

    await until(() => expect(shown(tab)).toEqual(["event 3"]));
  });

  test("that let nothing through say so", async () => {
    const tab = await openTab(some);

    tab.type('input[type="search"]', "zebra");

    await until(() => expect(tab.text).toContain("No event matches"));
  });

  test("survive a look at another tab", async () => {
    const tab = await openTab(some);
    tab.type('input[type="search"]', "limited");
    await until(() => expect(shown(tab)).toHaveLength(1));

    tab.hide();
    tab.show();

    await until(() => expect(shown(tab)).toEqual(["rate limited"]));
  });
});

test("a pause counts what comes and shows it afterwards", async () => {
  const tab = await openTab(rows(1, 3));

  tab.click("Pause");
  await until(() => tab.button("Resume"));
  more(tab, ...rows(4, 9));
  await until(() => tab.button("Resume, 6 new"));
  expect(shown(tab)).toHaveLength(3);
  tab.click("Resume, 6 new");

  await until(() => expect(shown(tab)).toHaveLength(9));
});

describe("details", () => {
  const event = ({ seq }: { seq: number }) => ({ data: { seq, html: "<img src=x>" } });

  test("open by keyboard, follow the arrows and close by Escape", async () => {
    const tab = await openTab(rows(1, 50), { event });
    const list = '[role="listbox"]';

    tab.press(list, "ArrowUp");
    await until(() => expect(tab.find(list).getAttribute("aria-activedescendant")).toMatch(/-50$/));
    tab.press(list, "Enter");
    await until(() => expect(tab.find("pre").textContent).toContain('"seq": 50'));
    tab.press(list, "ArrowUp");
    await until(() => expect(tab.find("pre").textContent).toContain('"seq": 49'));
    tab.press(list, "Escape");

    await until(() => expect(tab.all("pre")).toEqual([]));
    expect(tab.all("img")).toEqual([]);
  });

  test("open by a click and lead to the whole turn", async () => {
    const tab = await openTab([row(1, { turn_id: "turn-a" }), row(2, { turn_id: "turn-b" })], { event });

    tab.all('[role="option"]')[0]?.click();
    await until(() => tab.click("Show only this turn"));

    await until(() => expect(shown(tab)).toEqual(["event 1"]));
  });

  test("that the kernel does not have any more are told", async () => {
    const tab = await openTab(rows(1, 3), { event: () => "Event 3 is no longer kept." });

    tab.all('[role="option"]')[2]?.click();

    await until(() => expect(tab.text).toContain("no longer kept"));
  });
});

test("an export has what is filtered, and revokes nothing before the browser read it", async () => {
  const blobs: Blob[] = [];
  const revoke = vi.fn();
  vi.stubGlobal(
    "URL",
    Object.assign(URL, {
      createObjectURL: (blob: Blob) => `blob:${blobs.push(blob)}`,
      revokeObjectURL: revoke,
    }),
  );
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(() => {});
  const tab = await openTab(rows(1, 20));
  tab.type('input[type="search"]', "event 20");
  await until(() => expect(shown(tab)).toHaveLength(1));

  tab.click("Export what is shown");
  await until(() => tab.click("Export as CSV"));

  expect(await blobs[0]?.text()).toMatch(/^seq,.*\r\n20,.*event 20\r\n$/);
  expect(revoke).not.toHaveBeenCalled();
});
