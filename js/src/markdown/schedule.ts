/** When rendering happens: a little in each frame, the newest answer first, colours when nothing else is to do. */

/** Milliseconds of a frame that rendering may take; layout and everybody else need the rest. */
const FRAME_BUDGET_MS = 10;
/** A hidden page has no frames. */
const NO_FRAME_MS = 250;

export interface FrameTask {
  /** Works until `deadline` (on `performance.now()`); true when there is more to do. */
  step(deadline: number): boolean;
}

const tasks = new Set<FrameTask>();
let isScheduled = false;

/** Runs `task` from the next frame on until it is done. */
export function runInFrames(task: FrameTask): void {
  tasks.add(task);
  schedule();
}

export function cancelFrames(task: FrameTask): void {
  tasks.delete(task);
}

function schedule(): void {
  if (isScheduled) return;
  isScheduled = true;
  let hasRun = false;
  const once = () => {
    if (hasRun) return;
    hasRun = true;
    clearTimeout(timer);
    isScheduled = false;
    runTasks();
  };
  const timer = setTimeout(once, NO_FRAME_MS);
  requestAnimationFrame(once);
}

function runTasks(): void {
  const deadline = performance.now() + FRAME_BUDGET_MS;
  for (const task of [...tasks].reverse()) {
    // Out of the set before it runs: it may ask for another frame itself.
    tasks.delete(task);
    if (task.step(deadline)) tasks.add(task);
    if (performance.now() >= deadline) break;
  }
  if (tasks.size > 0) schedule();
}

/** Runs `work` when the page has nothing better to do. */
export function whenIdle(work: () => void): void {
  if (typeof requestIdleCallback === "function") requestIdleCallback(work, { timeout: 2000 });
  else setTimeout(work, 50);
}
