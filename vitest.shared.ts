import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    // A process that has read the code once runs file after file: reading it anew for each took half of the time. What a test changes in its
    // process, it puts back.
    isolate: false,
    // A third of the time tests wait: for a time-out, a server's start or a clock. Two workers more than there are cores fill it.
    maxWorkers: availableParallelism() + 2,
    // None of these is what a test waits for where all is well. They are long because a machine with much else to do takes many times as long.
    testTimeout: 240_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 120_000 } },
  },
});
