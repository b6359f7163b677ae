import { expect, test } from "vitest";
import { runPetak } from "../testing/run-petak.ts";

test.each([
  ["--sandbox", "The sandbox plays its doors in one process"],
  ["--test-clock", "The test clock is moved in one process"],
])("%s and several workers are refused together", async (flag, sentence) => {
  const { exitCode, stderr } = await runPetak(["gateway", "--workers", "2", flag]);
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining(sentence)]);
});
