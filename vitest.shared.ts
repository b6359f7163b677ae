import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    // A process that has read the code once runs file after file: reading it anew for each took half of the time. What a test changes in its
    // process, it puts back.
    isolate: false,
    // Much of the time of the long tests is that of their servers, so that a core left free for those would stand idle.
    maxWorkers: "100%",
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
