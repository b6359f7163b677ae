import { appendFileSync } from "node:fs";
import { createRandom, type Random, testLength, testSeed } from "@petak/testkit";
import type { Checked } from "./check-city.ts";

/** Whether progress and a longer patience are called for: `npm run test:faults`. */
const isLong = testLength() === "long";

/** How long the rounds of one fault may take, in ms: many times as long as they do beside other work. */
export const faultTimeoutMs = isLong ? 3_600_000 : 600_000;

/** What is told of a run, in one line and in the table at the end. */
export interface FaultRun {
  readonly random: Random;
  /** Counts what was done. */
  did(what: string, count?: number): void;
  /** Adds up what was checked. */
  saw(checked: Checked): void;
  /** Says how far it is, in the long form. */
  progress(done: number, of: number): void;
  /** Says what was done and checked: on the screen, and for the table. */
  tell(): void;
}

/** Begins the run of a fault, with the seed of the tests. */
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
      // The log is looked at as a whole each time; the others only as far as they were touched.
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
    tell() {
      const line = JSON.stringify({ fault, seed, done, checked });
      process.stdout.write(`${line}\n`);
      const path = process.env.PETAK_FAULTS_REPORT;
      if (path !== undefined && path !== "") appendFileSync(path, `${line}\n`);
    },
  };
}
