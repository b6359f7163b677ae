import { create } from "@bufbuild/protobuf";
import { greatCircleM, quantise } from "@petak/allocator";
import { type FullTerms, heldEvent, heldReservation, holdMsOf, participantParty, waitUntil } from "@petak/lifecycle";
import {
  type Reservation,
  type ReserveRequest,
  ReserveRequestSchema,
  type ReserveResponse,
  ReserveResponseSchema,
  type Site,
} from "@petak/protocol";
import type { PlaceCall, PlaceHold } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";
import { fingerprintOf } from "../idempotency/fingerprint.ts";
import { summarise } from "../sites/site-summary.ts";
import type { ReservationDependencies } from "./dependencies.ts";
import { waitingFor } from "./waiting.ts";
import { wantedPlaceOf } from "./wanted-place.ts";

export type ReserveDependencies = Pick<
  ReservationDependencies,
  "places" | "siteCache" | "termsBook" | "now" | "holdDefaultMs" | "holdMaxMs"
>;

/** Holds a place at the named site, or at the nearest site that satisfies the request, and makes the reservation. */
export async function reserve(
  dependencies: ReserveDependencies,
  request: ReserveRequest,
  caller: ParticipantCaller,
  call: Pick<PlaceCall, "signal">,
): Promise<ReserveResponse> {
  const { places, now } = dependencies;
  const createdAtMs = now();
  const holdMs = holdMsOf(request, dependencies);
  const actor = participantParty(caller);
  const isTest = caller.mode === "test";
  const reservation = heldReservation(request, { participantId: caller.participantId, isTest, holdMs }, createdAtMs);
  const hold: PlaceHold = {
    participantId: caller.participantId,
    requestId: request.requestId,
    fingerprint: fingerprintOf(ReserveRequestSchema, request, caller.mode),
    reservation,
    deadlineMs: createdAtMs + holdMs,
    event: (reservationId) => heldEvent(reservation, reservationId, { actor }, createdAtMs),
  };
  if (request.overflowPolicy?.wait !== undefined) {
    const until = waitUntil(request.overflowPolicy.wait, createdAtMs);
    hold.waiting = waitingFor({ asked: request, held: reservation, until, holdMs, actor, atMs: createdAtMs });
  }
  const taken = await places.take(wantedPlaceOf(request, isTest, createdAtMs), hold, call);
  return respond(dependencies, request, taken);
}

/** Builds the response, synchronously if the site and its terms are cached. */
function respond(
  { siteCache, termsBook }: Pick<ReserveDependencies, "siteCache" | "termsBook">,
  request: ReserveRequest,
  reservation: Reservation,
): ReserveResponse | Promise<ReserveResponse> {
  const facts = siteCache.facts([{ siteId: reservation.siteId, revision: 0 }]);
  const terms = termsBook.of(reservation);
  if (!(facts instanceof Promise || terms instanceof Promise)) return reserveResponse(request, reservation, facts[0], terms);
  return Promise.all([facts, terms]).then(([[site], known]) => reserveResponse(request, reservation, site, known));
}

function reserveResponse({ place }: ReserveRequest, reservation: Reservation, site: Site | undefined, terms: FullTerms): ReserveResponse {
  const response = create(ReserveResponseSchema);
  response.reservation = reservation;
  if (site === undefined) return response;
  response.site = summarise(site, terms);
  const origin = place.case === "nearest" ? place.value.origin : undefined;
  if (origin !== undefined && site.position !== undefined) response.distanceM = greatCircleM(quantise(origin), quantise(site.position));
  return response;
}
