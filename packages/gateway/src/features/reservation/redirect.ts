import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { heldEvent, isBoundByPolicy, nextRedirectStep, participantParty, refuseRedirect, replacement } from "@petak/lifecycle";
import {
  invalidField,
  type RedirectRequest,
  RedirectRequestSchema,
  type RedirectResponse,
  RedirectResponseSchema,
  type Reservation,
  ReservationState,
  type ReserveRequest,
  ReserveRequestSchema,
} from "@petak/protocol";
import { type PlaceCall, type PlaceHold, reservationNotFound, type WantedPlace } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";
import { changedTooOften } from "../idempotency/change-reservation.ts";
import { fingerprintOf } from "../idempotency/fingerprint.ts";
import { retryOnConflict } from "../idempotency/retry-on-conflict.ts";
import { summarise } from "../search/site-summary.ts";
import type { ReservationDependencies } from "./dependencies.ts";
import { boundPlace, type RedirectPlace } from "./overflow-bounds.ts";
import { waitingFor } from "./waiting.ts";
import { wantedPlaceOf } from "./wanted-place.ts";

export type RedirectDependencies = Pick<
  ReservationDependencies,
  "changes" | "places" | "requestIds" | "reservations" | "siteCache" | "sites" | "termsBook" | "now" | "holdDefaultMs"
>;

/** Attempts to bring a redirection to its end. Each of its steps takes one, and so does each concurrent change. */
const attempts = 8;

/** The old reservation as it ended, and the new one. */
interface Redirected {
  old: Reservation;
  taken: Reservation;
}

/**
 * Lets a parcel go to another place. Each step is done once however often it is begun, so that a repetition after a crash at any instant finishes the
 * rest:
 *
 * 1. A place is held elsewhere, or waited for where the old reservation waits and nothing is free: under the request's own handle, so that a repetition
 *    finds it.
 * 2. Where the old reservation is confirmed, so is the new one.
 * 3. The old reservation ends, if it still can. Where it cannot, the new one is given back, and the refusal says why. Where the new one has ended
 *    meanwhile, because nobody came back in time, the old one stays as it is.
 *
 * Then the response is stored. Until the third step both places are taken.
 */
export async function redirect(
  dependencies: RedirectDependencies,
  request: RedirectRequest,
  caller: ParticipantCaller,
  call: Pick<PlaceCall, "signal">,
): Promise<RedirectResponse> {
  const { changes, places, requestIds, siteCache, termsBook, now } = dependencies;
  const { requestId, reservationId } = request;
  const { participantId } = caller;
  const fingerprint = fingerprintOf(RedirectRequestSchema, request);
  const isFirst = !(await requestIds.claim(participantId, requestId, fingerprint));
  if (!isFirst) {
    const stored = await requestIds.findResponse(participantId, requestId, fingerprint);
    if (stored !== undefined) return fromBinary(RedirectResponseSchema, stored);
  }
  const old = await changes.findOwn(reservationId, caller);
  changes.refuseOthers(old, caller, "owner");
  const place = await placeFor(dependencies, request, caller, old);
  const { wanted, hold } = holdElsewhere(dependencies, { ...request, place }, caller, old);
  const claimed: PlaceHold = { ...hold, fingerprint, claimed: isFirst ? "first" : "repeated" };
  let taken = isFirst ? undefined : await places.find(wanted, claimed);
  if (taken === undefined) {
    refuseRedirect(old, now());
    taken = await places.take(wanted, claimed, { signal: call.signal, exceptSiteId: old.siteId });
  }
  const redirected = await settle(dependencies, request, caller, taken.reservationId);
  const terms = await termsBook.of(redirected.taken);
  const response = create(RedirectResponseSchema, { reservation: redirected.taken, redirected: redirected.old });
  const [site] = await siteCache.facts([{ siteId: redirected.taken.siteId, revision: 0 }]);
  if (site !== undefined) response.site = summarise(site, terms);
  const stored = await requestIds.storeResponse(participantId, requestId, fingerprint, toBinary(RedirectResponseSchema, response));
  return fromBinary(RedirectResponseSchema, stored);
}

/** Where the parcel may go: where the request asks for, or within what was declared in advance. */
async function placeFor(
  { sites, now }: Pick<RedirectDependencies, "sites" | "now">,
  { place }: RedirectRequest,
  caller: ParticipantCaller,
  old: Reservation,
): Promise<RedirectPlace> {
  if (!isBoundByPolicy(old, caller)) return place;
  // That the reservation has ended says more than anything else that is wrong.
  if (old.redirectedTo === "") refuseRedirect(old, now());
  // Not from the cache, where nothing says that these facts are in force.
  return await boundPlace(old, place, sites.facts);
}

/** The place that is wanted elsewhere, and the hold on it: the same whenever the request comes, but for the times. */
function holdElsewhere(
  { now, holdDefaultMs }: Pick<RedirectDependencies, "now" | "holdDefaultMs">,
  request: RedirectRequest,
  caller: ParticipantCaller,
  old: Reservation,
): { wanted: WantedPlace; hold: Omit<PlaceHold, "fingerprint"> } {
  const { place } = request;
  if (place.case === "siteId" && place.value === old.siteId) {
    // That the reservation has ended says more than anything else that is wrong.
    refuseRedirect(old, now());
    throw invalidField("site_id", "must not be the reservation's own site", "redirect.to_another_site");
  }
  const asked: ReserveRequest = create(ReserveRequestSchema, {
    place,
    ...(old.parcel && { parcel: old.parcel }),
    purpose: old.purpose,
    ...(request.requirements && { requirements: request.requirements }),
    includeUnknown: request.includeUnknown,
    holdKind: old.holdKind,
  });
  const atMs = now();
  const actor = participantParty(caller);
  const reservation = replacement(old, { request, caller, holdMs: holdDefaultMs }, atMs);
  const hold: Omit<PlaceHold, "fingerprint"> = {
    participantId: caller.participantId,
    requestId: request.requestId,
    reservation,
    deadlineMs: atMs + holdDefaultMs,
    event: (reservationId) => heldEvent(reservation, reservationId, { actor, relatedReservationId: old.reservationId }, atMs),
  };
  if (old.state === ReservationState.QUEUED && old.queuedUntil !== undefined) {
    hold.waiting = waitingFor({
      asked,
      held: reservation,
      until: old.queuedUntil,
      since: old.queuedSince,
      holdMs: holdDefaultMs,
      actor,
      atMs,
      relatedReservationId: old.reservationId,
    });
  }
  return { wanted: wantedPlaceOf(asked, old.isTest, atMs), hold };
}

/** Takes one step after another, each by what both reservations are just then, until the old one has ended in favour of the new one. */
async function settle(
  { changes, reservations, termsBook, now }: Pick<RedirectDependencies, "changes" | "reservations" | "termsBook" | "now">,
  { reservationId, reason }: RedirectRequest,
  caller: ParticipantCaller,
  takenId: string,
): Promise<Redirected> {
  const actor = participantParty(caller);
  const found = async (id: string) => {
    const reservation = await reservations.find(id);
    if (reservation === undefined) throw reservationNotFound(id);
    return reservation;
  };
  return await retryOnConflict(
    async () => {
      const [old, taken] = await Promise.all([found(reservationId), found(takenId)]);
      const [oldTerms, takenTerms] = await Promise.all([termsBook.of(old), termsBook.of(taken)]);
      const step = nextRedirectStep(old, taken, { actor, reason, oldTerms, takenTerms }, now());
      if (step.tag === "done") return { old, taken };
      const facts = step.tag === "confirm" ? { continued: old } : {};
      const isWritten = step.transition === undefined || (await changes.apply(step.transition, facts)).tag === "done";
      if (!isWritten) return undefined;
      if (step.tag === "give back") throw step.refusal;
      return step.tag === "end" ? { old: step.transition.after, taken } : undefined;
    },
    { attempts, conflict: () => changedTooOften(reservationId) },
  );
}
