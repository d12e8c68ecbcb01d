/** The parts of an answer that fold, `<details>` with a `<summary>`, in each other. */

export class FoldStack {
  private readonly open: { details: HTMLDetailsElement; body: HTMLElement }[] = [];

  reset(): void {
    this.open.length = 0;
  }

  /** Begins one before `tail`, or in the one that is open. */
  begin(tail: HTMLElement, title: string, isOpen: boolean): void {
    const details = document.createElement("details");
    const summary = document.createElement("summary");
    const body = document.createElement("div");
    details.className = "rb-fold";
    details.open = isOpen;
    summary.textContent = title.trim() || "Details";
    body.className = "rb-fold-body";
    details.append(summary, body);
    tail.before(details);
    this.open.push({ details, body });
    // What is still being written belongs into it.
    body.append(tail);
  }

  /** Names the innermost one. */
  name(title: string): void {
    const summary = this.open.at(-1)?.details.firstElementChild;
    if (summary && title.trim() !== "") summary.textContent = title.trim();
  }

  end(): void {
    const ended = this.open.pop();
    const tail = ended?.body.querySelector(":scope > .rb-open-block");
    if (tail) ended?.details.after(tail);
  }

  unfoldOpen(): void {
    for (const { details } of this.open) details.open = true;
  }
}
