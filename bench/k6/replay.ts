/**
 * Replays a recorded trace as searches: each of its intentions looks for the nearest site from its own place with its own parcel, at the trace's rate over time,
 * faster by PETAK_SPEED. `petak replay` plays whole lives and keeps each intended time; this is for those who have k6 and its outputs.
 *
 *   npm start
 *   npx petak token --many 60 > bench/k6/tokens.json
 *   k6 run -e PETAK_TRACE=../../day.ndjson -e PETAK_SPEED=60 bench/k6/replay.ts      (a path is relative to this file)
 */
import { check } from "k6";
import { SharedArray } from "k6/data";
import exec from "k6/execution";
import type { Options, RampingArrivalRateScenario } from "k6/options";
import { search } from "./src/checkout-client.ts";
import { type ReplayedIntention, readTrace, replayedArrivals } from "./src/replay.ts";
import { findNearest } from "./src/requests.ts";
import { readSettings } from "./src/settings.ts";
import { readTokens } from "./src/tokens.ts";

const settings = readSettings(__ENV, { rate: 1, duration: "1s" });
const tokens = readTokens(open(settings.tokensPath), settings.tokensPath);
const { PETAK_TRACE: tracePath = "trace.ndjson", PETAK_SPEED: speedText = "60" } = __ENV;
const speed = Number(speedText);
if (!(speed >= 0.01 && speed <= 100_000)) throw new Error(`PETAK_SPEED is "${speedText}", but a speed is a number from 0.01 to 100000.`);
const trace = new SharedArray<ReplayedIntention>("trace", () => readTrace(open(tracePath), tracePath));
// Made once for all virtual users, as the trace is.
const arrivals = new SharedArray<RampingArrivalRateScenario>("arrivals", () => [
  replayedArrivals(readTrace(open(tracePath), tracePath), speed),
]);

export const options: Options = {
  scenarios: { trace: arrivals[0] as RampingArrivalRateScenario },
  thresholds: {
    checks: ["rate>0.999"],
    dropped_iterations: ["count==0"],
    http_req_duration: ["p(99)<200"],
  },
};

export default function searchAsRecorded(): void {
  const intention = trace[exec.scenario.iterationInTest];
  // Rounding of rates may begin a few more than there are.
  if (intention === undefined) return;
  const { latitude, longitude, widthMm, heightMm, depthMm, massG } = intention;
  const request = findNearest({ latitude, longitude }, { widthMm, heightMm, depthMm, massG });
  const { status } = search(settings, tokens, request);
  check(status, { "is answered": () => status === 200 });
}
