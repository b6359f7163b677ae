/**
 * Everybody wants one neighbourhood: from all over the world people reserve within walking distance of a city's centre, more and more of them, until it is full. A
 * refusal because there is no place, or because one courier holds its share, is right; anything else is not. Each place is given back after a few seconds.
 *
 *   npm start
 *   npx petak token --many 60 > bench/k6/tokens.json
 *   k6 run bench/k6/flash-sale.ts
 */
import { check, sleep } from "k6";
import { Counter } from "k6/metrics";
import type { Options } from "k6/options";
import { downtown } from "./src/cities.ts";
import { makeCourierClient } from "./src/courier-client.ts";
import { someParcel } from "./src/parcels.ts";
import { cancel, reserveNearest } from "./src/requests.ts";
import { readSettings } from "./src/settings.ts";
import { readTokens } from "./src/tokens.ts";

const settings = readSettings(__ENV, { rate: 60, duration: "20s" });
const tokens = readTokens(open(settings.tokensPath), settings.tokensPath);
const courier = makeCourierClient(settings, tokens, { reflects: false });
const placed = new Counter("placed");
const sold = new Counter("sold_out");

/** Refusals that tell the truth about a neighbourhood that is full. */
const truths: readonly string[] = ["NO_PLACE_FREE", "HOLDS_EXHAUSTED"];

export const options: Options = {
  scenarios: {
    rush: {
      executor: "ramping-arrival-rate",
      startRate: 1,
      timeUnit: "1s",
      preAllocatedVUs: settings.rate,
      maxVUs: settings.rate * 10,
      stages: [
        { duration: settings.duration, target: settings.rate },
        { duration: settings.duration, target: settings.rate },
      ],
    },
  },
  thresholds: {
    checks: ["rate>0.999"],
    dropped_iterations: ["count==0"],
    grpc_req_duration: ["p(99)<500"],
    placed: ["count>0"],
  },
};

export default function grabAPlace(): void {
  const answer = courier.call(
    "ReservationService/Reserve",
    reserveNearest(downtown(settings.city, Math.random), someParcel(Math.random), 1500),
  );
  check(answer, { "a place, or the truth": ({ reason }) => reason === undefined || truths.includes(reason) });
  if (answer.reason !== undefined) {
    sold.add(1, { reason: answer.reason });
    return;
  }
  placed.add(1);
  const { reservationId } = answer.message.reservation as { reservationId: string };
  sleep(2 + 4 * Math.random());
  const given = courier.call("ReservationService/Cancel", cancel(reservationId));
  check(given, { "the place is given back": ({ reason }) => reason === undefined });
}
