import { options, render } from "preact";
import { afterEach, beforeEach, describe, expect, type Mock, test, vi } from "vitest";
import { toolRun } from "../../dev/fake";
import type { Plotly } from "../../src/libraries/loader";
import { Figures } from "../../src/tools/Figures";
import { HOSTILE } from "../hostile";

const BARS = JSON.stringify({
  data: [{ type: "bar", x: ["Oslo"], y: [3] }],
  layout: { title: { text: "Units" }, paper_bgcolor: "white", width: 5000, xaxis: { title: "city" } },
});

/** What the browser would report, when a test says so. */
class Watcher {
  static all: Watcher[] = [];
  isOn = true;
  constructor(private readonly report: (entries: { isIntersecting: boolean }[]) => void) {
    Watcher.all.push(this);
  }
  observe(): void {}
  disconnect(): void {
    this.isOn = false;
  }
  tell(isIntersecting: boolean): void {
    if (this.isOn) this.report([{ isIntersecting }]);
  }
}
class Sight extends Watcher {}
class Size extends Watcher {}

let place: HTMLElement;
let plotly: {
  react: ReturnType<typeof vi.fn>;
  purge: ReturnType<typeof vi.fn>;
  Plots: { resize: ReturnType<typeof vi.fn> };
};
let load: Mock<() => Promise<Plotly>>;

beforeEach(() => {
  options.debounceRendering = (draw) => draw();
  vi.stubGlobal("IntersectionObserver", Sight);
  vi.stubGlobal("ResizeObserver", Size);
  Watcher.all = [];
  plotly = { react: vi.fn(async () => {}), purge: vi.fn(), Plots: { resize: vi.fn() } };
  load = vi.fn<() => Promise<Plotly>>(async () => plotly as unknown as Plotly);
  place = document.createElement("div");
  document.body.append(place);
});

afterEach(() => {
  render(null, place);
  document.body.replaceChildren();
  document.body.removeAttribute("data-jp-theme-light");
  vi.unstubAllGlobals();
});

const show = (...figures: string[]) =>
  render(<Figures runs={[toolRun({ id: "r", label: "Run code", figures })]} loadPlotly={load} />, place);
const look = (isSeen = true) => {
  for (const watcher of Watcher.all) if (watcher instanceof Sight) watcher.tell(isSeen);
};
const drawn = () => plotly.react.mock.calls.map(([, data]) => data);
const note = () => place.querySelector('[role="status"]')?.textContent ?? "";
const settled = () => new Promise((resolve) => setTimeout(resolve));

describe("a figure", () => {
  test("is drawn once it is seen, and the library is asked for no earlier", async () => {
    show(BARS);
    look(false);
    expect(load).not.toHaveBeenCalled();
    expect(note()).toBe("Drawing the figure…");

    look();
    look();
    await settled();

    expect(load).toHaveBeenCalledTimes(1);
    expect(drawn()).toEqual([[{ type: "bar", x: ["Oslo"], y: [3] }]]);
    expect(note()).toBe("");
    expect(place.querySelector("figure")?.getAttribute("aria-label")).toBe("Figure from Run code");
  });

  test("has the page's colours, its own words, and no way out", async () => {
    show(BARS);
    look();
    await settled();

    const [, , layout, config] = plotly.react.mock.calls[0] ?? [];
    expect(layout).toMatchObject({ title: { text: "Units" }, xaxis: { title: "city" }, autosize: true });
    expect(Object.keys(layout)).not.toContain("width");
    expect(Object.keys(layout)).not.toContain("paper_bgcolor");
    expect(layout.template.layout.font.color).toMatch(/^rgba\(/);
    expect(config).toMatchObject({ showSendToCloud: false, displaylogo: false, typesetMath: false });
  });

  test("is drawn again when the theme changes, and keeps its zoom", async () => {
    show(BARS);
    look();
    await settled();

    document.body.dataset.jpThemeLight = "false";
    await settled();

    expect(drawn()).toHaveLength(2);
    expect(new Set(plotly.react.mock.calls.map(([, , layout]) => layout.uirevision)).size).toBe(1);
  });

  test("is not drawn again because its card is", async () => {
    show(BARS);
    look();
    await settled();

    show(`${BARS}`);
    look();
    await settled();

    expect(drawn()).toHaveLength(1);
  });

  test("follows the width of the page while it has one", async () => {
    show(BARS);
    look();
    await settled();
    const plot = place.querySelector<HTMLElement>(".rb-figure-plot");
    if (!plot) throw new Error("no plot");
    const resize = () => {
      for (const watcher of Watcher.all) if (watcher instanceof Size) watcher.tell(true);
    };

    resize();
    expect(plotly.Plots.resize).not.toHaveBeenCalled();
    Object.defineProperty(plot, "offsetParent", { value: place });
    resize();

    expect(plotly.Plots.resize).toHaveBeenCalledExactlyOnceWith(plot);
  });

  test("leaves nothing behind", async () => {
    show(BARS);
    look();
    await settled();

    render(null, place);
    document.body.dataset.jpThemeLight = "true";
    await settled();

    expect(plotly.purge).toHaveBeenCalledTimes(1);
    expect(Watcher.all.map(({ isOn }) => isOn)).toEqual([false, false]);
    expect(drawn()).toHaveLength(1);
  });

  test("that is gone before the library came is not drawn", async () => {
    show(BARS);
    look();
    render(null, place);
    await settled();

    expect(plotly.react).not.toHaveBeenCalled();
  });

  test("without its library is a sentence, and is tried again when seen again", async () => {
    load.mockRejectedValueOnce(new Error("Install it: %pip install plotly"));
    show(BARS);
    look();
    await settled();
    expect(note()).toBe("A figure; it could not be drawn: Install it: %pip install plotly");

    look();
    await settled();

    expect(drawn()).toHaveLength(1);
    expect(note()).toBe("");
  });

  test("that cannot be drawn is a sentence, and the next one is drawn", async () => {
    plotly.react.mockRejectedValueOnce(new Error("no such axis"));
    show(BARS, "no JSON", BARS);
    look();
    await settled();

    const notes = [...place.querySelectorAll('[role="status"]')].map((each) => each.textContent);
    expect(notes).toHaveLength(2);
    expect(notes[0]).toBe("A figure; it could not be drawn: no such axis");
    expect(notes[1]).toMatch(/^A figure; it could not be drawn: .*JSON/);
  });

  test("has a label that is inert", () => {
    for (const text of HOSTILE) {
      render(<Figures runs={[toolRun({ label: text, figures: [BARS] })]} loadPlotly={load} />, place);
      expect(place.querySelectorAll("*:not(figure, div, p)")).toHaveLength(0);
    }
  });
});
