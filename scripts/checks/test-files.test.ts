import { expect, test } from "vitest";
import { allTests, hasRoundsAt, testsAt } from "./test-files.ts";

test("a short run has all files", () => {
  expect(testsAt("short", "packages/records")).toBe(allTests);
});

test("a longer run has the files with more rounds at that length", () => {
  const both = "const attempts = roundsHere({ short: 5, ci: 10, long: 1_000 });";
  const one = "for (let life = 0; life < roundsHere({\n  short: 5,\n  ci: 10,\n}); life++) {}";
  expect([both, one, "const rounds = 5;"].map((source) => [hasRoundsAt("ci", source), hasRoundsAt("long", source)])).toEqual([
    [true, true],
    [true, false],
    [false, false],
  ]);
  expect(hasRoundsAt("ci", "await atEveryDeath({ connection, commandsMin: 3 }, work);")).toBe(true);
  expect(testsAt("long", "packages/records").some((path) => path.endsWith("/rush.test.ts"))).toBe(true);
});

test("files named for ci run there, and not in a quick run", () => {
  const isForCi = (path: string) => path.endsWith(".ci.test.ts");
  expect(testsAt("ci", "e2e").filter(isForCi)).toContain("src/operations/faults/outage.ci.test.ts");
  expect(testsAt("quick", "e2e").filter(isForCi)).toEqual([]);
});

test("a quick run has the tests that start nothing, and one journey", () => {
  expect(testsAt("quick", "packages/records").filter((path) => path.endsWith("/rush.test.ts"))).toEqual([]);
  expect(testsAt("quick", "packages/credential")).toContain("src/pin/pin.test.ts");
  expect(testsAt("quick", "e2e")).toEqual([expect.stringMatching(/start-and-journey\.test\.ts$/)]);
});
