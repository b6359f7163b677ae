import { create, type DescMessage, type MessageShape, mergeFromBinary, toBinary } from "@bufbuild/protobuf";
import { durationMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { greatCircleM, quantise } from "@petak/allocator";
import {
  Act,
  CancelRequestSchema,
  ConfirmRequestSchema,
  compileBlank,
  EventType,
  ExtendRequestSchema,
  HoldKind,
  IssueCredentialRequestSchema,
  type Party,
  PartyKind,
  PartySchema,
  Purpose,
  type Reservation,
  ReservationSchema,
  type ReservationService,
  ReservationState,
  type ReserveRequest,
  ReserveRequestSchema,
  type ReserveResponse,
  ReserveResponseSchema,
  ResolveDoubtRequestSchema,
  Role,
  type Site,
} from "@petak/protocol";
import type { Allocator, HoldRequest, SiteCache, Transition } from "@petak/records";
import { classIndexOf } from "../domain/class-index.ts";
import { doubtOutcomes } from "../domain/doubt-outcomes.ts";
import { extensionOf } from "../domain/extension.ts";
import { fingerprintOf } from "../domain/fingerprint.ts";
import { checkIssueRequest, refuseAct } from "../domain/issue-rules.ts";
import { changed, illegalState, moveTo, refuseMove, refusePassed } from "../domain/move-on.ts";
import { participantParty } from "../domain/participant-party.ts";
import { reservationEvent } from "../domain/reservation-event.ts";
import { revokedHashes } from "../domain/revocations.ts";
import { type FullTerms, freeChangeUntil, lateChangeFee } from "../domain/terms.ts";
import { whatEndsWith } from "../domain/what-ends.ts";
import type { ParticipantCaller } from "../identity/index.ts";
import { requireParticipant } from "../identity/index.ts";
import type { Receipts } from "../receipts/receipts.ts";
import type { TermsBook } from "../stores/terms-book.ts";
import { createBatch } from "./batch.ts";
import { createBundleChanges } from "./bundle-changes.ts";
import { createBundleCalls } from "./bundles.ts";
import type { CredentialIssuer, CredentialSubject, CredentialTerms } from "./credential-issuer.ts";
import { createDelegationCalls } from "./delegations.ts";
import type { FeedReader } from "./feed-reader.ts";
import { createIssueService } from "./issue-service.ts";
import { createReservationList } from "./list-reservations.ts";
import { openingTerms } from "./opening-terms.ts";
import { createRedirect } from "./redirect.ts";
import { type ChangeByRequest, type ChangeRequest, createReservationChanges } from "./reservation-changes.ts";
import { createRevokeService } from "./revoke-service.ts";
import { summarise } from "./site-summary.ts";
import { createTakePlace, homeRegion } from "./take-place.ts";
import { waitingFor, waitUntil } from "./waiting.ts";

/** What reservations need. */
export interface ReservationDependencies {
  allocator: Allocator;
  siteCache: SiteCache;
  termsBook: TermsBook;
  credentials: CredentialIssuer;
  receipts: Receipts;
  reader: FeedReader;
  now: () => number;
  /** How long a place is held where the caller does not say, in ms. */
  holdDefaultMs: number;
  /** How long a place is held at most, from when the hold was taken, in ms. */
  holdMaxMs: number;
  /** How long the depositor has where the caller does not say, in ms. */
  depositDefaultMs: number;
}

/** Places and the right to use them. */
export function createReservationService(dependencies: ReservationDependencies): ServiceImpl<typeof ReservationService> {
  const { allocator, siteCache, termsBook, credentials, receipts, reader, now } = dependencies;
  const reservationChanges = createReservationChanges(allocator, receipts);
  const { findOwn, changeBy } = reservationChanges;
  const takePlace = createTakePlace(dependencies);
  const list = createReservationList(allocator, reader);
  const redirect = createRedirect({ ...dependencies, takePlace });
  const issueService = createIssueService(dependencies);
  const bundleChanges = createBundleChanges(allocator);

  function respond(request: ReserveRequest, reservation: Reservation): ReserveResponse | Promise<ReserveResponse> {
    const facts = siteCache.facts([{ siteId: reservation.siteId, revision: 0 }]);
    const terms = termsBook.of(reservation);
    if (!(facts instanceof Promise || terms instanceof Promise)) return reserveResponse(request, reservation, facts[0], terms);
    return Promise.all([facts, terms]).then(([[site], known]) => reserveResponse(request, reservation, site, known));
  }

  /** Makes a change that is answered with the reservation. */
  async function changeReservation<Desc extends DescMessage>(
    schema: Desc,
    request: MessageShape<Desc> & ChangeRequest,
    change: ChangeByRequest,
  ): Promise<{ reservation: Reservation }> {
    return { reservation: mergeFromBinary(ReservationSchema, blankReservation(), await changeBy(schema, request, change)) };
  }

  const calls: Omit<ServiceImpl<typeof ReservationService>, "batch"> = {
    ...createBundleCalls({ ...dependencies, changes: bundleChanges }),
    ...createDelegationCalls({ ...dependencies, reservationChanges, bundleChanges, revokeService: createRevokeService(dependencies) }),

    async reserve(request, context) {
      const caller = requireParticipant(context, { roles: [Role.COURIER, Role.MERCHANT] });
      const createdAtMs = now();
      const holdMs = Math.min(
        request.holdDuration === undefined ? dependencies.holdDefaultMs : durationMs(request.holdDuration),
        dependencies.holdMaxMs,
      );
      const deadlineMs = createdAtMs + holdMs;
      const reservation = heldReservation(request, caller, createdAtMs, deadlineMs);
      const hold: HoldRequest = {
        participantId: caller.participantId,
        requestId: request.requestId,
        fingerprint: fingerprintOf(ReserveRequestSchema, request, caller.mode),
        isTied: false,
        homeRegion: homeRegion(request),
        reservation,
        deadlineMs,
        event: (reservationId: string) =>
          reservationEvent({
            type: EventType.RESERVATION_HELD,
            reservation,
            reservationId,
            stateBefore: ReservationState.UNSPECIFIED,
            actor: participantParty(caller),
            occurredAtMs: createdAtMs,
          }),
      };
      if (request.overflowPolicy?.wait !== undefined) {
        hold.waiting = waitingFor({
          asked: request,
          held: reservation,
          until: waitUntil(request.overflowPolicy.wait, createdAtMs),
          holdMs,
          actor: participantParty(caller),
          atMs: createdAtMs,
          termsBook,
        });
      }
      const options = { isTest: caller.mode === "test", nowMs: createdAtMs, signal: context.signal };
      return respond(request, await takePlace.take(request, hold, options));
    },

    async confirm(request, context) {
      const caller = requireParticipant(context);
      return await changeReservation(ConfirmRequestSchema, request, {
        caller,
        changer: "owner",
        plan: async (before) => {
          const atMs = now();
          const terms = await termsBook.of(before);
          const wantedMs = request.depositWithin === undefined ? dependencies.depositDefaultMs : durationMs(request.depositWithin);
          const untilMs = atMs + Math.min(wantedMs, durationMs(terms.noShowAfter));
          const freeUntil = freeChangeUntil(terms, atMs, untilMs);
          refuseMove(before, ReservationState.CONFIRMED);
          refusePassed(before, before.holdExpiresAt, atMs, ReservationState.EXPIRED, ReservationState.CONFIRMED);
          const after = changed(before, atMs, {
            state: ReservationState.CONFIRMED,
            depositUntil: timestampFromMs(untilMs),
            ...(freeUntil && { freeChangeUntil: freeUntil }),
          });
          return {
            ...moveTo(before, after, { atMs, actor: participantParty(caller) }),
            deadlineMs: untilMs,
            isAllowed: true,
            answer: writtenReservation,
          };
        },
      });
    },

    async extend(request, context) {
      const caller = requireParticipant(context);
      return await changeReservation(ExtendRequestSchema, request, {
        caller,
        changer: "owner or operator",
        plan: async (before) => {
          const atMs = now();
          const limits = { holdMaxMs: dependencies.holdMaxMs, terms: await termsBook.of(before) };
          const extension = extensionOf(before, caller, request, atMs, limits);
          return {
            after: extension.after,
            heldChange: 0,
            occupiedChange: 0,
            deadlineMs: extension.untilMs,
            ...(extension.movesPin ? { pin: { expiresAtS: Math.floor(extension.untilMs / 1000) } } : {}),
            events: [
              reservationEvent({
                type: EventType.RESERVATION_EXTENDED,
                reservation: extension.after,
                actor: participantParty(caller),
                occurredAtMs: atMs,
                statesFee: true,
              }),
            ],
            answer: toBinary(ReservationSchema, extension.after),
          };
        },
      });
    },

    async cancel(request, context) {
      const caller = requireParticipant(context);
      return await changeReservation(CancelRequestSchema, request, {
        caller,
        changer: "owner or operator",
        plan: async (before) => {
          const atMs = now();
          const fee = lateChangeFee(before, await termsBook.of(before), caller, atMs);
          const after = changed(before, atMs, { state: ReservationState.CANCELLED, ...fee });
          return {
            ...moveTo(before, after, { atMs, actor: participantParty(caller), cancellationReason: request.reason }),
            ...whatEndsWith(before, atMs),
            answer: toBinary(ReservationSchema, after),
          };
        },
      });
    },

    redirect: (request, context) =>
      redirect(
        request,
        // What is declared in advance is the consumer's side's to change.
        requireParticipant(context, { roles: request.overflowPolicy === undefined ? [Role.COURIER, Role.MERCHANT] : [Role.MERCHANT] }),
        context.signal,
      ),

    async resolveDoubt(request, context) {
      const caller = requireParticipant(context, { roles: [Role.OPERATOR] });
      return await changeReservation(ResolveDoubtRequestSchema, request, {
        caller,
        changer: "operator",
        plan: async (before) => {
          const atMs = now();
          const to = doubtOutcomes.get(request.outcome) ?? ReservationState.UNSPECIFIED;
          if (before.state !== ReservationState.IN_DOUBT) throw illegalState(before, to);
          const wentAt = timestampFromMs(atMs);
          const collected = to === ReservationState.COLLECTED ? { collectedAt: wentAt } : {};
          const recalled = to === ReservationState.RECALLED ? { recalledAt: wentAt } : {};
          const after = changed(before, atMs, { state: to, ...collected, ...recalled });
          return {
            ...moveTo(before, after, { atMs, actor: participantParty(caller) }),
            // Nobody knows when the parcel went: that a report has seen it gone already is the safe thing to reckon with.
            movedAtMs: 0,
            ...whatEndsWith(before, atMs),
            answer: writtenReservation,
          };
        },
      });
    },

    async getReservation(request, context) {
      const caller = requireParticipant(context);
      const reservation = await findOwn(request.reservationId, caller);
      const terms = await termsBook.of(reservation);
      if (reservation.state !== ReservationState.QUEUED) return { reservation, terms };
      const queuePosition = await allocator.queues.position(reservation.reservationId);
      // Where it has none, a place came free a moment ago.
      if (queuePosition === undefined) return { reservation: await findOwn(request.reservationId, caller), terms };
      return { reservation: { ...reservation, queuePosition }, terms };
    },

    listReservations: (request, context) => list(request, requireParticipant(context)),

    async issueCredential(request, context) {
      const caller = requireParticipant(context);
      checkIssueRequest(request);
      if (request.act === Act.SERVICE) return await issueService(request, requireParticipant(context, { roles: [Role.OPERATOR] }));
      const { requestId, act, withPin, holderPublicKey } = request;
      const issue = (subject: CredentialSubject, terms: CredentialTerms) =>
        credentials.issue({ ...subject, requestId, act, withPin, holderPublicKey, terms });
      const answer = await changeBy(IssueCredentialRequestSchema, request, {
        caller,
        changer: "owner",
        plan: async (before, stored, attempt) => {
          const atMs = now();
          refuseAct(before, act, atMs);
          const sizeClassIndex = classIndexOf(stored, before.sizeClassId);
          const validity = credentials.validity(before, await termsBook.of(before), act, atMs);
          const wanted = { ...validity, attempt, sizeClassIndex };
          const terms = await openingTerms(wanted, revokedHashes(before), (some) => issue(subjectOf(before), some));
          const event = reservationEvent({
            type: EventType.CREDENTIAL_ISSUED,
            reservation: before,
            actor: participantParty(caller),
            occurredAtMs: atMs,
          });
          return {
            heldChange: 0,
            occupiedChange: 0,
            ...(withPin ? { pin: await credentials.pinEntry(subjectOf(before), requestId, terms) } : {}),
            events: [event],
            answer: credentials.encodeTerms(terms),
          };
        },
      });
      return await issue(subjectOf(await findOwn(request.reservationId, caller)), credentials.decodeTerms(answer));
    },
  };

  const batch = createBatch(calls);
  return { ...calls, batch: (request, context) => batch(request, context) };
}

/** The reservation as it was written, with the end of its chain. */
function writtenReservation({ after }: Pick<Transition, "after">): Uint8Array {
  if (after === undefined) throw new TypeError("nothing was written of the reservation");
  return toBinary(ReservationSchema, after);
}

function subjectOf({ siteId, reservationId }: Reservation): CredentialSubject {
  return { siteId, subjectId: reservationId };
}

function reserveResponse({ place }: ReserveRequest, reservation: Reservation, site: Site | undefined, terms: FullTerms): ReserveResponse {
  const response = blankResponse();
  response.reservation = reservation;
  if (site === undefined) return response;
  response.site = summarise(site, terms);
  const origin = place.case === "nearest" ? place.value.origin : undefined;
  if (origin !== undefined && site.position !== undefined) response.distanceM = greatCircleM(quantise(origin), quantise(site.position));
  return response;
}

const blankReservation = compileBlank(ReservationSchema);
const blankResponse = compileBlank(ReserveResponseSchema);

/** The consumer of every reservation. */
const consumerParty: Party = Object.freeze(create(PartySchema, { kind: PartyKind.CONSUMER }));

function heldReservation(request: ReserveRequest, caller: ParticipantCaller, createdAtMs: number, deadlineMs: number): Reservation {
  const participant = participantParty(caller);
  const isDelivery = request.purpose === Purpose.UNSPECIFIED || request.purpose === Purpose.DELIVERY;
  const reservation = blankReservation();
  reservation.participantId = caller.participantId;
  reservation.state = ReservationState.HELD;
  reservation.purpose = request.purpose === Purpose.UNSPECIFIED ? Purpose.DELIVERY : request.purpose;
  if (request.parcel !== undefined) reservation.parcel = request.parcel;
  reservation.depositor = isDelivery ? participant : consumerParty;
  reservation.collector = isDelivery ? consumerParty : participant;
  reservation.partnerReference = request.partnerReference;
  reservation.isTest = caller.mode === "test";
  reservation.holdKind = request.holdKind === HoldKind.UNSPECIFIED ? HoldKind.SOFT : request.holdKind;
  reservation.revision = 1;
  reservation.createdAt = timestampFromMs(createdAtMs);
  reservation.updatedAt = reservation.createdAt;
  reservation.holdExpiresAt = timestampFromMs(deadlineMs);
  if (request.overflowPolicy !== undefined) {
    reservation.overflowPolicy = request.overflowPolicy;
    reservation.wantedSiteId = request.place.case === "siteId" ? request.place.value : "";
  }
  return reservation;
}
