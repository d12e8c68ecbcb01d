/** The Plotly figures that tools made, drawn once they are seen. */

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Plotly } from "../libraries/loader";
import type { ToolRunView } from "../protocol";
import { spelled } from "../ui/hidden";
import { CONFIG, fittedLayout } from "./figureLook";

interface FiguresProps {
  runs: readonly ToolRunView[];
  loadPlotly(): Promise<Plotly>;
}

export function Figures({ runs, loadPlotly }: FiguresProps) {
  return (
    <>
      {runs.flatMap(({ id, figures, label, tool }) =>
        figures.map((json, index) => (
          <FigureCard
            key={`${id} ${index}`}
            json={json}
            label={`Figure from ${spelled(label || tool)}`}
            loadPlotly={loadPlotly}
          />
        )),
      )}
    </>
  );
}

interface FigureCardProps {
  json: string;
  label: string;
  loadPlotly(): Promise<Plotly>;
}

function FigureCard({ json, label, loadPlotly }: FigureCardProps) {
  const element = useRef<HTMLDivElement>(null);
  const [note, setNote] = useState(LOADING);
  useLayoutEffect(() => {
    if (!element.current) return;
    const drawing = new Drawing(element.current, json, loadPlotly, setNote);
    return () => drawing.dispose();
  }, [json, loadPlotly]);
  return (
    <figure class="rb-figure" aria-label={label}>
      <div class="rb-figure-plot" ref={element} />
      {note !== "" && <p role="status">{note}</p>}
    </figure>
  );
}

const LOADING = "Drawing the figure…";

/** One figure in the page: drawn when it is first seen, and as wide and as light or dark as the page is then. */
class Drawing {
  private plotly: Plotly | null = null;
  private isLoading = false;
  private isGone = false;
  private readonly observers: { disconnect(): void }[];

  constructor(
    private readonly element: HTMLElement,
    private readonly json: string,
    private readonly load: () => Promise<Plotly>,
    private readonly say: (note: string) => void,
  ) {
    const seen = new IntersectionObserver((entries) => {
      if (entries.some(({ isIntersecting }) => isIntersecting)) void this.begin();
    });
    const size = new ResizeObserver(() => this.resize());
    const theme = new MutationObserver(() => void this.draw());
    seen.observe(element);
    size.observe(element);
    theme.observe(document.body, { attributeFilter: ["data-jp-theme-light", "data-jp-theme-name"] });
    this.observers = [seen, size, theme];
  }

  dispose(): void {
    this.isGone = true;
    for (const observer of this.observers) observer.disconnect();
    this.plotly?.purge(this.element);
  }

  /** Once: what failed is tried again when it is seen again. */
  private async begin(): Promise<void> {
    if (this.plotly || this.isLoading) return;
    this.isLoading = true;
    this.say(LOADING);
    try {
      const plotly = await this.load();
      if (this.isGone) return;
      this.plotly = plotly;
      await this.draw();
    } catch (error) {
      this.fail(error);
    } finally {
      this.isLoading = false;
    }
  }

  private async draw(): Promise<void> {
    if (!this.plotly) return;
    try {
      const { data, layout } = JSON.parse(this.json);
      await this.plotly.react(this.element, data, fittedLayout(layout, this.element), CONFIG);
      this.say("");
    } catch (error) {
      this.fail(error);
    }
  }

  private fail(error: unknown): void {
    if (this.isGone) return;
    this.plotly?.purge(this.element);
    this.plotly = null;
    this.say(`A figure; it could not be drawn: ${error instanceof Error ? error.message : String(error)}`);
  }

  private resize(): void {
    // Hidden it has no size, and would get one of Plotly's own.
    if (this.plotly && this.element.offsetParent !== null) this.plotly.Plots.resize(this.element);
  }
}
