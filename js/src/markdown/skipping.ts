/** Parts of a long answer that are not laid out while they are out of sight, once it is known how tall they are. */

/** Those that were measured, and the width at which. */
const widths = new WeakMap<Element, number>();
let observer: ResizeObserver | undefined;

/** Lets the browser skip `part`, which is complete, as soon as it was laid out; its size stays what it was. */
export function skipUnseen(part: HTMLElement): void {
  if (typeof ResizeObserver === "undefined") return;
  // What a callback changes must not be seen by the same round of callbacks.
  observer ??= new ResizeObserver((entries) => requestAnimationFrame(() => entries.forEach(measure)));
  observer.observe(part);
}

function measure({ target }: ResizeObserverEntry): void {
  const part = target as HTMLElement;
  if (!part.isConnected) return observer?.unobserve(part);
  const { width, height } = part.getBoundingClientRect();
  // In a tab that is hidden.
  if (width === 0 || height === 0) return;
  const known = widths.get(part);
  if (known === undefined) {
    widths.set(part, width);
    part.style.setProperty("contain-intrinsic-size", `auto none auto ${height}px`);
    part.classList.add("rb-skippable");
  } else if (Math.abs(known - width) > 1) {
    // Its lines break elsewhere now.
    widths.delete(part);
    part.classList.remove("rb-skippable");
    observer?.unobserve(part);
    observer?.observe(part);
  }
}
