import type { Pace } from "@petak/simulator";
import { usageFailure } from "../failure.ts";

/** How long a run takes without a test clock, in minutes, unless it is said. */
export const defaultMinutes = 5;

/** Step of a driven clock: what becomes due within it happens at its end. */
const stepMs = 60_000;

/** What decides how fast the network's time passes. */
export interface PaceWishes {
  readonly minutes?: number | undefined;
  readonly speed?: number | undefined;
  readonly perSecond?: number | undefined;
  /** Whether the gateway has a test clock, and whether there is an administrator's key to move it. */
  readonly hasTestClock: boolean;
  readonly hasAdmin: boolean;
  /** Of the trace. */
  readonly durationMs: number;
  readonly intentions: number;
  /** Undefined: there is none, and a wish is needed. */
  readonly usualMinutes: number | undefined;
}

/**
 * Decides how fast the network's time passes: as it is wished; else on the gateway's test clock, if there is one; else in the usual time.
 *
 * @throws CliFailure (usage) if it cannot be decided.
 */
export function decidePace(wishes: PaceWishes): Pace {
  const { minutes, speed, perSecond, durationMs, intentions } = wishes;
  const given = [minutes, speed, perSecond].filter((wish) => wish !== undefined);
  if (given.length > 1) throw usageFailure("Say only one of how long the run takes, its speed, and its rate.");
  if (speed !== undefined) return { clock: "wall", speed };
  if (perSecond !== undefined) return { clock: "wall", speed: (perSecond * durationMs) / 1000 / Math.max(1, intentions) };
  if (minutes !== undefined) return inMinutes(durationMs, minutes);
  if (wishes.hasTestClock) {
    if (wishes.hasAdmin) return { clock: "driven", stepMs };
    throw usageFailure(
      "The gateway has a test clock, which only an administrator moves: give --keys a folder with admin.json, or say how long the run takes by the system's clock.",
    );
  }
  if (wishes.usualMinutes === undefined)
    throw usageFailure("Say how fast: --speed 60 for an hour of the trace in a minute, or --rate 500/s.");
  return inMinutes(durationMs, wishes.usualMinutes);
}

function inMinutes(durationMs: number, minutes: number): Pace {
  return { clock: "wall", speed: durationMs / (minutes * 60_000) };
}

/** What the reader of a report must know of a pace. */
export function paceRemarks(pace: Pace): string[] {
  if (pace.clock === "driven") return [];
  if (pace.speed === 1) return ["The run went by the system's clock, at the trace's own pace."];
  const factor = pace.speed.toLocaleString("en", { maximumSignificantDigits: 3 });
  return [
    `The run went by the system's clock, with the times between a trace's events divided by ${factor}. The terms of the gateway (how long holds, promises and free storage last) and opening hours were not shortened.`,
  ];
}
