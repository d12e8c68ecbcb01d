/** Keeps the end of a growing list in sight, until the reader scrolls up. */

import { signal } from "@preact/signals";

/** So near to the end counts as the end. */
const NEAR_PX = 32;

export class FollowEnd {
  readonly isFollowing = signal(true);
  private scroller: HTMLElement | null = null;
  private lastTop = 0;

  /** Starts with these elements; the returned function ends it. */
  attach(scroller: HTMLElement, content: HTMLElement): () => void {
    this.scroller = scroller;
    const opened = new AbortController();
    scroller.addEventListener("scroll", () => this.onScroll(), { passive: true, signal: opened.signal });
    // What somebody unfolds is to be read: its end must not push its beginning away.
    scroller.addEventListener("toggle", () => this.pause(), { capture: true, signal: opened.signal });
    // After layout and before paint: no flicker, and no layout of our own.
    const observer = new ResizeObserver(() => this.keep());
    observer.observe(content);
    observer.observe(scroller);
    return () => {
      opened.abort();
      observer.disconnect();
    };
  }

  toEnd(): void {
    this.isFollowing.value = true;
    this.keep();
  }

  private pause(): void {
    this.isFollowing.value = false;
    requestAnimationFrame(() => this.onScroll());
  }

  private keep(): void {
    if (!this.scroller) return;
    // A list with nothing to scroll leaves the wheel to the notebook.
    this.scroller.classList.toggle("rb-overflows", this.scroller.scrollHeight > this.scroller.clientHeight);
    if (!this.isFollowing.peek()) return;
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.lastTop = this.scroller.scrollTop;
  }

  private onScroll(): void {
    const scroller = this.scroller;
    if (!scroller) return;
    const { scrollTop, scrollHeight, clientHeight } = scroller;
    const isNear = scrollHeight - scrollTop - clientHeight < NEAR_PX;
    // Only the reader moves the list upwards; when it grows, the end moves away downwards.
    if (isNear) this.isFollowing.value = true;
    else if (scrollTop < this.lastTop - 1) this.isFollowing.value = false;
    this.lastTop = scrollTop;
  }
}
