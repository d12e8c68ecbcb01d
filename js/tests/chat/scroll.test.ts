import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FollowEnd } from "../../src/chat/scroll";

let grow: () => void;
let detach: () => void;
let scroller: HTMLElement;
let follow: FollowEnd;

/** A list of 300 px in sight, as jsdom lays nothing out. */
function setHeight(height: number): void {
  Object.defineProperty(scroller, "scrollHeight", { value: height, configurable: true });
}

function scrollTo(top: number): void {
  scroller.scrollTop = top;
  scroller.dispatchEvent(new Event("scroll"));
}

beforeEach(() => {
  vi.stubGlobal(
    "ResizeObserver",
    class {
      constructor(callback: () => void) {
        grow = callback;
      }
      observe() {}
      disconnect() {}
    },
  );
  scroller = document.createElement("div");
  Object.defineProperty(scroller, "clientHeight", { value: 300 });
  setHeight(1000);
  follow = new FollowEnd();
  detach = follow.attach(scroller, document.createElement("div"));
});

afterEach(() => {
  detach();
  vi.unstubAllGlobals();
});

describe("the end of the list", () => {
  test("is followed as the list grows", () => {
    setHeight(1400);

    grow();

    expect(scroller.scrollTop).toBe(1400);
  });

  test("is left when the reader scrolls up, and stays left while the list grows", () => {
    scrollTo(700);

    scrollTo(500);
    setHeight(1400);
    grow();

    expect(follow.isFollowing.value).toBe(false);
    expect(scroller.scrollTop).toBe(500);
  });

  test("is not left because the list grew before the scroll was told", () => {
    scrollTo(700);
    setHeight(1400);

    scroller.dispatchEvent(new Event("scroll"));
    grow();

    expect(follow.isFollowing.value).toBe(true);
    expect(scroller.scrollTop).toBe(1400);
  });

  test("is left when something is unfolded", async () => {
    scrollTo(690);
    setHeight(1400);

    scroller.dispatchEvent(new Event("toggle"));
    grow();
    await new Promise(requestAnimationFrame);

    expect(follow.isFollowing.value).toBe(false);
    expect(scroller.scrollTop).toBe(690);
  });

  test("is followed again when the reader comes back to it, or asks for it", () => {
    scrollTo(700);
    scrollTo(300);
    const up = follow.isFollowing.value;
    scrollTo(690);
    const back = follow.isFollowing.value;
    scrollTo(300);

    follow.toEnd();

    expect([up, back, follow.isFollowing.value]).toEqual([false, true, true]);
    expect(scroller.scrollTop).toBe(1000);
  });
});
