// Watches a page while an answer streams. `start(element)` once; `stop()` gives what was seen.
(() => {
  let seen, observer, mutations, frame, previous;

  function onFrame(now) {
    seen.longestGapMs = Math.max(seen.longestGapMs, now - previous);
    previous = now;
    frame = requestAnimationFrame(onFrame);
  }

  function noteLastWord() {
    if (seen.lastWordAt) return;
    // The frame that draws the change.
    requestAnimationFrame(() => {
      seen.lastWordAt ||= (performance.timeOrigin + performance.now()) / 1000;
    });
  }

  window.rustbotProbe = {
    start(element, lastWord) {
      seen = { longTasksMs: [], longestGapMs: 0, lastWordAt: 0 };
      observer = new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) seen.longTasksMs.push(entry.duration);
      });
      observer.observe({ type: "longtask" });
      mutations = new MutationObserver((changes) => {
        for (const change of changes) {
          const nodes = change.type === "characterData" ? [change.target] : change.addedNodes;
          for (const node of nodes) if (node.textContent.includes(lastWord)) noteLastWord();
        }
      });
      mutations.observe(element, { childList: true, characterData: true, subtree: true });
      previous = performance.now();
      frame = requestAnimationFrame(onFrame);
    },
    hasEnded: () => seen.lastWordAt > 0,
    stop() {
      observer.disconnect();
      mutations.disconnect();
      cancelAnimationFrame(frame);
      return seen;
    },
  };
})();
