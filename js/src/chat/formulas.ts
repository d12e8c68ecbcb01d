/** Draws formulas with KaTeX: at once while there are few, else a few in each frame. */

import type { Katex } from "../libraries/loader";
import { type FrameTask, runInFrames } from "../markdown/schedule";

export interface Formula {
  tex: string;
  element: HTMLElement;
  isBlock: boolean;
}

/** Of each frame; a formula takes about one. */
const AT_ONCE_MS = 6;
/** While an answer streams its last paragraph is drawn again and again, with the same formulas. */
const MOST_KEPT = 100;

export class Formulas implements FrameTask {
  private katex: Katex | null = null;
  private isLoading = false;
  private waiting: Formula[] = [];
  private readonly drawn = new Map<string, HTMLElement>();
  private spentMs = 0;
  private spentSince = 0;

  constructor(private readonly load: () => Promise<Katex>) {}

  add(formula: Formula): void {
    if (this.katex && this.isCheap()) return this.draw(this.katex, formula);
    this.waiting.push(formula);
    if (this.katex) runInFrames(this);
    else this.fetch();
  }

  step(deadline: number): boolean {
    while (this.katex && this.waiting.length > 0 && performance.now() < deadline) {
      const formula = this.waiting.shift();
      // What was drawn anew meanwhile is no longer in the page.
      if (formula?.element.isConnected) this.draw(this.katex, formula);
    }
    return this.waiting.length > 0;
  }

  private fetch(): void {
    if (this.isLoading) return;
    this.isLoading = true;
    this.load()
      .then(
        (katex) => {
          this.katex = katex;
          runInFrames(this);
        },
        () => {
          for (const { element } of this.waiting) element.classList.add("rb-math-failed");
          this.waiting = [];
        },
      )
      .finally(() => {
        this.isLoading = false;
      });
  }

  private isCheap(): boolean {
    const now = performance.now();
    if (now - this.spentSince > 16) {
      this.spentSince = now;
      this.spentMs = 0;
    }
    return this.spentMs < AT_ONCE_MS;
  }

  private draw(katex: Katex, { tex, element, isBlock }: Formula): void {
    const start = performance.now();
    const key = `${isBlock}${tex}`;
    try {
      const drawing = this.drawn.get(key) ?? drawAside(katex, tex, isBlock);
      this.keep(key, drawing);
      element.replaceChildren(...drawing.cloneNode(true).childNodes);
      element.classList.add("rb-math-drawn");
    } catch (error) {
      // A formula that KaTeX cannot read stays as its source.
      element.classList.add("rb-math-failed");
      element.title = error instanceof Error ? error.message : "This formula cannot be drawn.";
    }
    this.spentMs += performance.now() - start;
  }

  private keep(key: string, drawing: HTMLElement): void {
    this.drawn.delete(key);
    this.drawn.set(key, drawing);
    const oldest = this.drawn.keys().next().value;
    if (this.drawn.size > MOST_KEPT && oldest !== undefined) this.drawn.delete(oldest);
  }
}

function drawAside(katex: Katex, tex: string, isBlock: boolean): HTMLElement {
  const drawing = document.createElement("span");
  katex.draw(tex, drawing, isBlock);
  return drawing;
}
