/** A table that goes on below itself: as one element, thousands of rows would be laid out anew for each new one. */

import { skipUnseen } from "./skipping";

export class LongTable {
  private columns: HTMLElement | null = null;
  private open: HTMLElement | null = null;

  constructor(private readonly table: HTMLTableElement) {}

  /** Adds the rows of `more`, a table of the same columns. */
  add(more: HTMLTableElement): void {
    this.dropOpen();
    // A part that is out of sight need not be laid out again with each new one.
    skipUnseen(this.append(more));
  }

  /** Shows rows that are still being written, until the next call. */
  showOpen(more: HTMLTableElement): void {
    this.dropOpen();
    this.open = this.append(more);
  }

  dropOpen(): void {
    this.open?.remove();
    this.open = null;
  }

  private append(more: HTMLTableElement): HTMLElement {
    this.columns ??= this.measure();
    more.deleteTHead();
    more.prepend(this.columns.cloneNode(true));
    const part = document.createElement("div");
    part.className = "rb-rows";
    part.append(more);
    this.table.parentElement?.append(part);
    return part;
  }

  /** Fixes the widths as they are now, relative to each other. */
  private measure(): HTMLElement {
    const columns = document.createElement("colgroup");
    const cells = [...(this.table.tHead?.rows[0]?.cells ?? [])];
    const widths = cells.map((cell) => cell.getBoundingClientRect().width);
    const whole = widths.reduce((sum, width) => sum + width, 0);
    for (const width of widths) {
      const column = document.createElement("col");
      if (whole > 0) column.style.width = `${(100 * width) / whole}%`;
      columns.append(column);
    }
    const body = this.table.parentElement;
    const room = body?.parentElement?.clientWidth ?? 0;
    if (body && whole > room && room > 0) body.style.width = `${(100 * whole) / room}%`;
    return columns;
  }
}
