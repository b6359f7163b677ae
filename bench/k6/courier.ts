/**
 * A courier's calls for one parcel after another, over gRPC: find, reserve, confirm, a credential for the driver, read it back, cancel. The deposit and the collection
 * are missing: a terminal's agent reports them, signed with its own key, and k6 cannot sign with Ed25519; `petak journey` shows a whole life.
 *
 *   npm start
 *   npx petak token --many 60 > bench/k6/tokens.json
 *   k6 run bench/k6/courier.ts
 *   k6 run -e PETAK_REFLECT=1 bench/k6/courier.ts      (learns the protocol from the gateway, not from the files in proto)
 */
import { check, fail } from "k6";
import type { Options } from "k6/options";
import { somewhereIn } from "./src/cities.ts";
import { type Answer, makeCourierClient } from "./src/courier-client.ts";
import { someParcel } from "./src/parcels.ts";
import { cancel, confirm, depositCredential, findNearest, reserveNearest } from "./src/requests.ts";
import { openArrivals } from "./src/scenarios.ts";
import { readSettings } from "./src/settings.ts";
import { readTokens } from "./src/tokens.ts";

const settings = readSettings(__ENV, { rate: 20, duration: "30s" });
const tokens = readTokens(open(settings.tokensPath), settings.tokensPath);
const courier = makeCourierClient(settings, tokens, { reflects: __ENV.PETAK_REFLECT === "1" });

export const options: Options = {
  scenarios: { couriers: openArrivals(settings) },
  thresholds: {
    checks: ["rate>0.99"],
    dropped_iterations: ["count==0"],
    grpc_req_duration: ["p(50)<30", "p(99)<300"],
  },
};

export default function reserveAndGiveBack(): void {
  const origin = somewhereIn(settings.city, Math.random);
  const parcel = someParcel(Math.random);
  const { options: offers = [] } = must("find", courier.call("DirectoryService/FindNearest", findNearest(origin, parcel))) as {
    options?: object[];
  };
  check(offers, { "a site is offered": (some) => some.length > 0 });
  const request = reserveNearest(origin, parcel);
  const { reservation } = must("reserve", courier.call("ReservationService/Reserve", request)) as {
    reservation: { reservationId: string };
  };
  const { reservationId } = reservation;
  const repeated = must("reserve again", courier.call("ReservationService/Reserve", request)) as { reservation: { reservationId: string } };
  check(repeated, { "a repetition is the same reservation": (again) => again.reservation.reservationId === reservationId });
  must("confirm", courier.call("ReservationService/Confirm", confirm(reservationId)));
  const credential = must("credential", courier.call("ReservationService/IssueCredential", depositCredential(reservationId)));
  check(credential, { "the driver has a token": ({ accessToken }) => typeof accessToken === "string" && accessToken !== "" });
  const { reservation: read } = must("read", courier.call("ReservationService/GetReservation", { reservationId })) as {
    reservation: { state: string };
  };
  check(read, { "it is confirmed": ({ state }) => state === "RESERVATION_STATE_CONFIRMED" });
  must("cancel", courier.call("ReservationService/Cancel", cancel(reservationId)));
}

/** The message of an answer. A refusal fails a check of this name and ends the iteration. */
function must(name: string, answer: Answer): Readonly<Record<string, unknown>> {
  check(answer, { [`${name} succeeds`]: ({ reason }) => reason === undefined });
  if (answer.reason !== undefined) fail(`${name}: ${answer.reason}`);
  return answer.message;
}
