import { defineConfig } from "vitest/config";

export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  // Five seconds are short on a machine that does other things, too.
  test: {
    environment: "jsdom",
    environmentOptions: { jsdom: { pretendToBeVisual: true } },
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
