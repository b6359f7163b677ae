/**
 * Checkouts of a city ask for the nearest sites: FindNearest, Connect JSON over HTTP, from places all over the city. Arrivals are open: they come at their rate
 * however slow the answers are, and what k6 could not begin counts in `dropped_iterations`.
 *
 *   npm start
 *   npx petak token --many 60 > bench/k6/tokens.json
 *   k6 run bench/k6/checkout.ts
 *   k6 run -e PETAK_CITY=Bangkok -e PETAK_RATE=500 -e PETAK_DURATION=2m bench/k6/checkout.ts
 */
import { check } from "k6";
import type { Options } from "k6/options";
import { search } from "./src/checkout-client.ts";
import { somewhereIn } from "./src/cities.ts";
import { someParcel } from "./src/parcels.ts";
import { findNearest } from "./src/requests.ts";
import { openArrivals } from "./src/scenarios.ts";
import { readSettings } from "./src/settings.ts";
import { readTokens } from "./src/tokens.ts";

const settings = readSettings(__ENV, { rate: 100, duration: "30s" });
const tokens = readTokens(open(settings.tokensPath), settings.tokensPath);

export const options: Options = {
  scenarios: { checkouts: openArrivals(settings) },
  thresholds: {
    checks: ["rate>0.999"],
    dropped_iterations: ["count==0"],
    http_req_duration: ["p(50)<20", "p(99)<200"],
  },
};

export default function askForTheNearest(): void {
  const request = findNearest(somewhereIn(settings.city, Math.random), someParcel(Math.random));
  const { status, body } = search(settings, tokens, request);
  check(status, {
    "is answered": () => status === 200,
    "the nearest comes first": () => status === 200 && isSorted(body),
  });
}

function isSorted(body: string): boolean {
  const { options: offers = [] } = JSON.parse(body) as { options?: { distanceM?: number }[] };
  return offers.every(({ distanceM = 0 }, index) => index === 0 || (offers[index - 1]?.distanceM ?? 0) <= distanceM);
}
