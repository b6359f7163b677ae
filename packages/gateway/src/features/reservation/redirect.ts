import { create } from "@bufbuild/protobuf";
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
import { type PlaceCall, type PlaceHold, reservationNotFound, siteNotFound, type WantedPlace } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";
import { changedTooOften } from "../idempotency/change-reservation.ts";
import { type ClaimedRequest, once } from "../idempotency/once.ts";
import { retryOnConflict } from "../idempotency/retry-on-conflict.ts";
import { summarise } from "../sites/site-summary.ts";
import type { ReservationDependencies } from "./dependencies.ts";
import { withOwnLimits } from "./hold-allowance.ts";
import { holdPlace } from "./hold-place.ts";
import { boundPlace, type RedirectPlace } from "./overflow-bounds.ts";
import { waitingFor } from "./waiting.ts";
import { wantedPlaceOf } from "./wanted-place.ts";

export type RedirectDependencies = Pick<
  ReservationDependencies,
  | "changes"
  | "places"
  | "queues"
  | "holdTotals"
  | "allowance"
  | "requestIds"
  | "reservations"
  | "siteCache"
  | "sites"
  | "termsBook"
  | "operatorNames"
  | "now"
  | "holdDefaultMs"
>;

/** Attempts to complete a redirection. Each step takes one, and so does each concurrent change. */
const attempts = 8;

const schemas = { request: RedirectRequestSchema, response: RedirectResponseSchema, bodyNamesNetwork: true };

/** The old reservation as it ended, and the new one. */
interface Redirected {
  old: Reservation;
  taken: Reservation;
}

/**
 * Replaces a reservation by one at another site. Each step is idempotent, so that a duplicate after a crash at any point completes the rest:
 *
 * 1. A place is held elsewhere, or queued for if the old reservation is queued and no place is free. The new reservation's handle follows from the
 *    request, so that a duplicate finds it.
 * 2. If the old reservation is confirmed, the new one is confirmed too.
 * 3. The old reservation is ended, if its state still permits that and the new one's site is still in service. Otherwise the new one is given back, and the
 *    error names the reason. If the new one
 *    has expired because the request was not repeated in time, the old one stays as it is.
 *
 * Then the response is stored. Until step 3 both places are taken.
 */
export async function redirect(
  dependencies: RedirectDependencies,
  request: RedirectRequest,
  caller: ParticipantCaller,
  call: Pick<PlaceCall, "signal">,
): Promise<RedirectResponse> {
  return await once(dependencies.requestIds, caller, schemas, request, (claimed) =>
    takeAndSettle(dependencies, request, caller, call, claimed),
  );
}

/** Takes the place elsewhere and completes the redirection. */
async function takeAndSettle(
  dependencies: RedirectDependencies,
  request: RedirectRequest,
  caller: ParticipantCaller,
  call: Pick<PlaceCall, "signal">,
  { isDuplicate, fingerprint }: ClaimedRequest,
): Promise<RedirectResponse> {
  const { changes, places, queues, allowance, siteCache, termsBook, operatorNames, now } = dependencies;
  const old = await changes.findOwn(request.reservationId, caller);
  changes.refuseOthers(old, caller, "owner");
  const place = await placeFor(dependencies, request, caller, old);
  const { wanted, hold } = holdElsewhere(dependencies, { ...request, place }, caller, old);
  const claimed: PlaceHold = { ...hold, fingerprint, claimed: isDuplicate ? "repeated" : "first" };
  let taken = isDuplicate ? await places.find(wanted, claimed) : undefined;
  if (taken === undefined) {
    refuseRedirect(old, now());
    taken = await holdPlace(dependencies, withOwnLimits(allowance, caller.holdLimits), wanted, claimed, {
      signal: call.signal,
      exceptSiteId: old.siteId,
    });
  }
  const redirected = await settle(dependencies, request, caller, taken.reservationId);
  const { operatorId } = redirected.taken;
  const isQueued = redirected.taken.state === ReservationState.QUEUED;
  const [terms, name, queuePosition] = await Promise.all([
    termsBook.of(redirected.taken),
    operatorNames.of(operatorId),
    isQueued ? queues.position(redirected.taken.reservationId) : undefined,
  ]);
  const reservation = queuePosition === undefined ? redirected.taken : { ...redirected.taken, queuePosition };
  const response = create(RedirectResponseSchema, { reservation, redirected: redirected.old });
  const [site] = await siteCache.facts([{ siteId: redirected.taken.siteId, revision: 0 }]);
  if (site !== undefined) response.site = summarise(site, terms, name);
  return response;
}

/** The place that the request asks for, restricted by the overflow policy if the caller is bound by it. */
async function placeFor(
  { sites, now }: Pick<RedirectDependencies, "sites" | "now">,
  { place }: RedirectRequest,
  caller: ParticipantCaller,
  old: Reservation,
): Promise<RedirectPlace> {
  if (!isBoundByPolicy(old, caller)) return place;
  // An ended reservation is the more useful error, so it is checked first.
  if (old.redirectedTo === "") refuseRedirect(old, now());
  // Read from the store: cached facts may be outdated.
  return await boundPlace(old, place, sites.facts);
}

/** The place that is wanted elsewhere, and the hold on it. Duplicates of the request differ only in the times. */
function holdElsewhere(
  { now, holdDefaultMs }: Pick<RedirectDependencies, "now" | "holdDefaultMs">,
  request: RedirectRequest,
  caller: ParticipantCaller,
  old: Reservation,
): { wanted: WantedPlace; hold: Omit<PlaceHold, "fingerprint"> } {
  const { place } = request;
  if (place.case === "siteId" && place.value === old.siteId) {
    // An ended reservation is the more useful error, so it is checked first.
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

/** Takes the remaining steps, each chosen by the current state of both reservations, until the old one has ended in favour of the new one. */
async function settle(
  { changes, reservations, sites, termsBook, now }: Pick<RedirectDependencies, "changes" | "reservations" | "sites" | "termsBook" | "now">,
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
      const [oldTerms, takenTerms, [oldSite, takenSite]] = await Promise.all([
        termsBook.of(old),
        termsBook.of(taken),
        sites.facts([old.siteId, taken.siteId]),
      ]);
      if (oldSite === undefined) throw siteNotFound(old.siteId);
      if (takenSite === undefined) throw siteNotFound(taken.siteId);
      const step = nextRedirectStep(old, taken, { actor, reason, oldTerms, takenTerms, oldSite, takenSite }, now());
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
