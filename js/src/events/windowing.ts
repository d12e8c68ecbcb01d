/** Which rows of a long list are in sight; pure. */

/** Pixels; the CSS sets the same. */
export const ROW_HEIGHT = 28;
/** Rows drawn beyond each edge, so that quick scrolling shows no gap. */
const BEYOND = 10;

export interface Range {
  first: number;
  /** Exclusive. */
  end: number;
}

export function rangeInSight(scrollTop: number, height: number, count: number): Range {
  const top = Math.floor(scrollTop / ROW_HEIGHT);
  const visible = Math.ceil(height / ROW_HEIGHT) + 1;
  const first = Math.max(0, Math.min(top, count - visible) - BEYOND);
  return { first, end: Math.min(count, top + visible + BEYOND) };
}

/** Where to scroll so that the row is in sight, moving as little as possible. */
export function scrollToRow(index: number, scrollTop: number, height: number): number {
  const top = index * ROW_HEIGHT;
  if (top < scrollTop) return top;
  return Math.max(scrollTop, top + ROW_HEIGHT - height);
}
