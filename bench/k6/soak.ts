/**
 * An hour of a moderate load, to see what grows: checkouts search all the time while couriers reserve and give back. Look at `/metrics` of the gateway's management listener beside it:
 * memory, the store's fill, events waiting.
 *
 *   npm start
 *   npx petak token --many 75 > bench/k6/tokens.json
 *   k6 run bench/k6/soak.ts
 *   k6 run -e PETAK_DURATION=5m bench/k6/soak.ts
 */
import type { Options } from "k6/options";
import { openArrivals } from "./src/scenarios.ts";
import { readSettings } from "./src/settings.ts";

export { default as searches } from "./checkout.ts";
export { default as reserves } from "./courier.ts";

const settings = readSettings(__ENV, { rate: 40, duration: "1h" });

export const options: Options = {
  scenarios: {
    searches: { ...openArrivals(settings), exec: "searches" },
    reserves: { ...openArrivals({ ...settings, rate: Math.max(1, Math.round(settings.rate / 8)) }), exec: "reserves" },
  },
  thresholds: {
    checks: ["rate>0.999"],
    dropped_iterations: ["count==0"],
    http_req_duration: ["p(99)<200"],
    grpc_req_duration: ["p(99)<300"],
  },
};
