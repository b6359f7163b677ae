import type { RunEnded } from "../observe/observation.ts";
import type { CityRun } from "./city-run.ts";
import { endRun } from "./end-run.ts";
import { openRun } from "./open-run.ts";
import { playDriven } from "./play-driven.ts";
import { playWall } from "./play-wall.ts";

/**
 * Runs a trace: its people, couriers and terminals against a gateway, by the public protocol alone. Every intention that has begun ends exactly once, whatever
 * happens; reservations that were made for nothing are cancelled, and terminals are removed.
 *
 * Resolves with the last observation. Throws if the run cannot begin: a ConnectError if the gateway does not answer or refuses a key, a NoTestClockError if its
 * clock cannot be driven.
 */
export async function runCity(run: CityRun): Promise<RunEnded> {
  const opened = await openRun(run);
  const { stage, clock, wake, state } = opened;
  try {
    if (run.pace.clock === "driven") {
      if (clock === undefined) throw new TypeError("a driven run has a clock");
      await stage.sample();
      await playDriven(stage, clock, run.pace.stepMs);
    } else {
      const { speed } = run.pace;
      const untilMs = run.untilMs ?? run.trace.header.durationMs;
      await playWall(stage, { speed, inFlightMax: run.inFlightMax, untilMs, earlier: wake });
    }
  } catch (error) {
    if (!stage.signal.aborted) state.defect ??= error;
  }
  // Others may still come to the own doors.
  await run.group?.meet();
  return await endRun(run, opened);
}
