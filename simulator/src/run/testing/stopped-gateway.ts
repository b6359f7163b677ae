import { Role } from "@petak/protocol";
import { makeSite, type TestRedis } from "@petak/testkit";
import { keyFileOf, startTestNetwork } from "@petak/testkit/network";
import { noFaults } from "../../actors/parameters.ts";
import { createMeasure } from "../../measure/measure.ts";
import type { Summary } from "../../measure/summary.ts";
import type { CallObserved } from "../../observe/observation.ts";
import type { Intention } from "../../trace/intention.ts";
import { runCity } from "../run-city.ts";
import { center, headerOf, intentionOf } from "./tiny-city.ts";

export interface StoppedRun {
  readonly summary: Summary;
  readonly finds: readonly CallObserved[];
  /** When the gateway began to stand still, in ms since the run began, and for how long, in ms. */
  readonly stoppedAtMs: number;
  readonly stopMs: number;
}

/** A run in which people only look, `perS` each second, while the gateway stands still for about `stopMs` in the middle. */
export async function runThroughStop(
  redis: TestRedis,
  { perS, beforeMs, stopMs, afterMs }: { perS: number; beforeMs: number; stopMs: number; afterMs: number },
): Promise<StoppedRun> {
  const network = await startTestNetwork({ redis, ownProcess: true });
  try {
    const operator = await network.join("Operator", [Role.OPERATOR]);
    const couriers = [await network.join("Courier A", [Role.COURIER]), await network.join("Courier B", [Role.COURIER])];
    await network.putSite(operator, makeSite({ ...center, ref: "site", classes: [["L", 400, 400, 600, 20_000, 4]] }));
    const measure = createMeasure();
    const finds: CallObserved[] = [];
    let [pausedMs, resumedMs, stoppedAtMs] = [0, 0, 0];

    /** The trace goes on until the gateway has stood still, however late that begins. It is read as time goes by, so it tells when to go on. */
    function* intentions(): Generator<Intention> {
      let [pausedAtMs, untilMs] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
      for (let id = 1; ((id - 1) * 1000) / perS < untilMs; id++) {
        const atMs = Math.floor(((id - 1) * 1000) / perS);
        if (pausedMs > 0) pausedAtMs = Math.min(pausedAtMs, atMs);
        if (resumedMs === 0 && atMs >= pausedAtMs + stopMs) {
          network.gateway.resume();
          resumedMs = performance.now();
          untilMs = atMs + afterMs;
        }
        yield intentionOf(id, atMs, { change: "LEAVES", patienceMs: 60_000, courier: (id % 2) + 1 });
      }
    }

    await runCity({
      trace: { header: headerOf(1), intentions: intentions() },
      gateway: { url: network.baseUrl, protocol: "connect" },
      couriers: couriers.map(keyFileOf),
      operators: new Map(),
      pace: { clock: "wall", speed: 1 },
      faults: noFaults,
      inFlightMax: 10_000,
      lostAfterMs: 60_000,
      signal: new AbortController().signal,
      observe(observation) {
        measure.observe(observation);
        if (observation.kind !== "call" || observation.operation !== "find") return;
        finds.push(observation);
        if (pausedMs === 0 && observation.dueMs >= beforeMs) {
          network.gateway.pause();
          pausedMs = performance.now();
          stoppedAtMs = observation.doneMs;
        }
      },
    });
    return { summary: measure.summary(), finds, stoppedAtMs, stopMs: resumedMs - pausedMs };
  } finally {
    await network.stop();
  }
}

/** The calls that somebody would have made who sends the next one only after the answer to the last: most load generators. */
export function closedLoop(calls: readonly CallObserved[]): CallObserved[] {
  let freeMs = 0;
  return calls
    .toSorted((a, b) => a.sentMs - b.sentMs)
    .filter(({ sentMs, doneMs }) => {
      if (sentMs < freeMs) return false;
      freeMs = doneMs;
      return true;
    });
}
