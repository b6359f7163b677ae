import { appendFileSync } from "node:fs";
import { createRandom, type Random, testLength, testSeed } from "@petak/testkit";
import type { Checked } from "./check-city.ts";

/** Whether to print progress and wait longer: `npm run test:faults`. */
const isLong = testLength() === "long";

/** Timeout of the rounds of one fault, in ms: many times their duration beside other work. */
export const faultTimeoutMs = isLong ? 3_600_000 : 600_000;

/** Counts of a run, reported in one line and in a table at the end. */
export interface FaultRun {
  readonly random: Random;
  /** Counts something that was done. */
  did(what: string, count?: number): void;
  /** Adds the counts of a check. */
  saw(checked: Checked): void;
  /** Prints the progress in the long form. */
  progress(done: number, of: number): void;
  /** Prints the counts, and adds them to the table. */
  report(): void;
}

/** Starts the run of a fault with the seed of the tests. */
export function beginFaultRun(fault: string): FaultRun {
  const seed = testSeed();
  const done: Record<string, number> = {};
  const checked: Record<string, number> = { checks: 0 };
  let toldMs = performance.now();
  const add = (to: Record<string, number>, what: string, count: number) => {
    to[what] = (to[what] ?? 0) + count;
  };
  return {
    random: createRandom(seed),
    did: (what, count = 1) => add(done, what, count),
    saw(found) {
      add(checked, "checks", 1);
      // Each check reads the whole feed, but only the touched reservations.
      for (const [what, count] of Object.entries(found)) {
        if (what === "events" || what === "sites") checked[what] = count;
        else add(checked, what, count);
      }
    },
    progress(index, of) {
      if (!isLong || performance.now() - toldMs < 10_000) return;
      toldMs = performance.now();
      process.stdout.write(`${fault}: ${index} of ${of}\n`);
    },
    report() {
      const line = JSON.stringify({ fault, seed, done, checked });
      process.stdout.write(`${line}\n`);
      const path = process.env.PETAK_FAULTS_REPORT;
      if (path !== undefined && path !== "") appendFileSync(path, `${line}\n`);
    },
  };
}
