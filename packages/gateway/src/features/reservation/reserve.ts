import { create } from "@bufbuild/protobuf";
import { heldEvent, heldReservation, holdMsOf, labelCodesOf, participantParty, refuseUnstatedCash, waitUntil } from "@petak/lifecycle";
import {
  type Reservation,
  ReservationState,
  type ReserveRequest,
  ReserveRequestSchema,
  type ReserveResponse,
  ReserveResponseSchema,
  type SiteSummary,
} from "@petak/protocol";
import { greatCircleM, quantise, toCentimetre } from "@petak/protocol/geo";
import type { PlaceCall, PlaceHold, WantedPlace } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";
import { fingerprintOf } from "../idempotency/fingerprint.ts";
import { summarise } from "../sites/site-summary.ts";
import type { ReservationDependencies } from "./dependencies.ts";
import { withOwnLimits } from "./hold-allowance.ts";
import { holdPlace } from "./hold-place.ts";
import { waitingFor } from "./waiting.ts";
import { wantedPlaceOf } from "./wanted-place.ts";

export type ReserveDependencies = Pick<
  ReservationDependencies,
  | "places"
  | "labelIndex"
  | "choices"
  | "holdTotals"
  | "allowance"
  | "siteCache"
  | "termsBook"
  | "operatorNames"
  | "now"
  | "holdDefaultMs"
  | "holdMaxMs"
>;

/** Holds a place at the named site, or at the nearest site that satisfies the request, and makes the reservation. */
export async function reserve(
  dependencies: ReserveDependencies,
  request: ReserveRequest,
  caller: ParticipantCaller,
  call: Pick<PlaceCall, "signal">,
): Promise<ReserveResponse> {
  const { allowance, now } = dependencies;
  if (request.parcel !== undefined) refuseUnstatedCash(request.parcel);
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
  const wanted = wantedPlaceOf(request, isTest, createdAtMs);
  const repeated = request.choice === "" ? undefined : await foundUnlessChosen(dependencies, request, caller, wanted, hold);
  const taken = repeated ?? (await holdPlace(dependencies, withOwnLimits(allowance, caller.holdLimits), wanted, hold, call));
  const { labelIndex } = dependencies;
  // After the hold: without it, a scanned label is told to be unknown, and confirming adds it in any case.
  if (taken.state === ReservationState.HELD && labelCodesOf(taken).length > 0) await labelIndex.addHeld(taken, createdAtMs, holdMs);
  return respond(dependencies, request, taken);
}

/**
 * Verifies the choice of a request. A repeated request, whose choice may have expired since, gets its reservation; undefined if the choice is good.
 *
 * @throws {PetakError} CHOICE_INVALID, CHOICE_EXPIRED or CHOICE_MISMATCH
 */
async function foundUnlessChosen(
  { choices, places, now }: Pick<ReserveDependencies, "choices" | "places" | "now">,
  { choice, parcel, purpose, place }: ReserveRequest,
  { participantId }: ParticipantCaller,
  wanted: WantedPlace,
  hold: PlaceHold,
): Promise<Reservation | undefined> {
  try {
    // A choice names a site, so a search for the nearest is never what was chosen.
    await choices.verify(choice, { participantId, siteId: place.case === "siteId" ? place.value : "", parcel, purpose }, now());
    return undefined;
  } catch (error) {
    const before = await places.find(wanted, hold);
    if (before === undefined) throw error;
    return before;
  }
}

/** Builds the response, synchronously if the site and its terms are cached. */
function respond(
  { siteCache, termsBook, operatorNames }: Pick<ReserveDependencies, "siteCache" | "termsBook" | "operatorNames">,
  request: ReserveRequest,
  reservation: Reservation,
): ReserveResponse | Promise<ReserveResponse> {
  const facts = siteCache.facts([{ siteId: reservation.siteId, revision: 0 }]);
  const terms = termsBook.of(reservation);
  const name = operatorNames.of(reservation.operatorId);
  if (!(facts instanceof Promise || terms instanceof Promise || name instanceof Promise)) {
    return reserveResponse(request, reservation, facts[0] && summarise(facts[0], terms, name));
  }
  return Promise.all([facts, terms, name]).then(([[site], known, named]) =>
    reserveResponse(request, reservation, site && summarise(site, known, named)),
  );
}

function reserveResponse({ place }: ReserveRequest, reservation: Reservation, site: SiteSummary | undefined): ReserveResponse {
  const response = create(ReserveResponseSchema);
  response.reservation = reservation;
  if (site === undefined) return response;
  response.site = site;
  const origin = place.case === "nearest" ? place.value.origin : undefined;
  if (origin === undefined || site.position === undefined) return response;
  response.distanceM = toCentimetre(greatCircleM(quantise(origin), quantise(site.position)));
  return response;
}
