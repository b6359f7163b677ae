import { create, type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { greatCircleM, quantise } from "@petak/allocator";
import {
  cancel,
  confirm,
  credentialIssued,
  extend,
  type FullTerms,
  heldEvent,
  heldReservation,
  holdMsOf,
  participantParty,
  refuseAct,
  resolveDoubt,
  revokedHashes,
  type Transition,
  waitUntil,
} from "@petak/lifecycle";
import {
  Act,
  CancelRequestSchema,
  ConfirmRequestSchema,
  ExtendRequestSchema,
  IssueCredentialRequestSchema,
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
import type { Allocator, HoldRequest, SiteCache, TermsBook } from "@petak/records";
import { requireParticipant } from "../../identity/index.ts";
import type { FeedReader } from "../event-pages/feed-reader.ts";
import { createBundleChanges } from "../idempotency/change-bundle.ts";
import { type ChangeByRequest, type ChangeRequest, createReservationChanges } from "../idempotency/change-reservation.ts";
import { fingerprintOf } from "../idempotency/fingerprint.ts";
import type { Receipts } from "../receipts/receipts.ts";
import { summarise } from "../search/site-summary.ts";
import { createBatch } from "./batch.ts";
import { createBundleCalls } from "./bundles.ts";
import type { CredentialIssuer, CredentialSubject, CredentialTerms } from "./credential-issuer.ts";
import { createDelegationCalls } from "./delegations.ts";
import { checkIssueRequest } from "./issue-request.ts";
import { createIssueService } from "./issue-service.ts";
import { createReservationList } from "./list-reservations.ts";
import { openingTerms } from "./opening-terms.ts";
import { createRedirect } from "./redirect.ts";
import { createRevokeService } from "./revoke-service.ts";
import { sizeClassIndexOf } from "./size-class-index.ts";
import { createTakePlace, homeRegion } from "./take-place.ts";
import { waitingFor } from "./waiting.ts";

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
    return { reservation: fromBinary(ReservationSchema, await changeBy(schema, request, change)) };
  }

  const calls: Omit<ServiceImpl<typeof ReservationService>, "batch"> = {
    ...createBundleCalls({ ...dependencies, changes: bundleChanges }),
    ...createDelegationCalls({ ...dependencies, reservationChanges, bundleChanges, revokeService: createRevokeService(dependencies) }),

    async reserve(request, context) {
      const caller = requireParticipant(context, { roles: [Role.COURIER, Role.MERCHANT] });
      const createdAtMs = now();
      const holdMs = holdMsOf(request, dependencies);
      const actor = participantParty(caller);
      const isTest = caller.mode === "test";
      const reservation = heldReservation(request, { participantId: caller.participantId, isTest, holdMs }, createdAtMs);
      const hold: HoldRequest = {
        participantId: caller.participantId,
        requestId: request.requestId,
        fingerprint: fingerprintOf(ReserveRequestSchema, request, caller.mode),
        isTied: false,
        homeRegion: homeRegion(request),
        reservation,
        deadlineMs: createdAtMs + holdMs,
        event: (reservationId: string) => heldEvent(reservation, reservationId, { actor }, createdAtMs),
      };
      if (request.overflowPolicy?.wait !== undefined) {
        const until = waitUntil(request.overflowPolicy.wait, createdAtMs);
        hold.waiting = waitingFor({ asked: request, held: reservation, until, holdMs, actor, atMs: createdAtMs, termsBook });
      }
      const options = { isTest, nowMs: createdAtMs, signal: context.signal };
      return respond(request, await takePlace.take(request, hold, options));
    },

    async confirm(request, context) {
      const caller = requireParticipant(context);
      return await changeReservation(ConfirmRequestSchema, request, {
        caller,
        changer: "owner",
        plan: async (before) => {
          const terms = await termsBook.of(before);
          const depositWithinMs = request.depositWithin === undefined ? dependencies.depositDefaultMs : durationMs(request.depositWithin);
          const transition = confirm(before, { actor: participantParty(caller), terms, depositWithinMs }, now());
          return { transition, answer: writtenReservation };
        },
      });
    },

    async extend(request, context) {
      const caller = requireParticipant(context);
      return await changeReservation(ExtendRequestSchema, request, {
        caller,
        changer: "owner or operator",
        plan: async (before) => {
          const { until } = request;
          if (until === undefined) throw new TypeError("validation let an empty field through");
          const facts = { actor: participantParty(caller), until, terms: await termsBook.of(before), holdMaxMs: dependencies.holdMaxMs };
          const transition = extend(before, facts, now());
          return { transition, answer: toBinary(ReservationSchema, transition.after) };
        },
      });
    },

    async cancel(request, context) {
      const caller = requireParticipant(context);
      return await changeReservation(CancelRequestSchema, request, {
        caller,
        changer: "owner or operator",
        plan: async (before) => {
          const facts = { actor: participantParty(caller), terms: await termsBook.of(before), reason: request.reason };
          const transition = cancel(before, facts, now());
          return { transition, answer: toBinary(ReservationSchema, transition.after) };
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
          const transition = resolveDoubt(before, { actor: participantParty(caller), outcome: request.outcome }, now());
          return { transition, answer: writtenReservation };
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
          const sizeClassIndex = sizeClassIndexOf(stored.site, before.sizeClassId);
          const validity = credentials.validity(before, await termsBook.of(before), act, atMs);
          const wanted = { ...validity, attempt, sizeClassIndex };
          const terms = await openingTerms(wanted, revokedHashes(before), (some) => issue(subjectOf(before), some));
          const pin = withPin ? await credentials.pinEntry(subjectOf(before), requestId, terms) : undefined;
          const transition = credentialIssued(before, { actor: participantParty(caller), pin }, atMs);
          return { transition, answer: credentials.encodeTerms(terms) };
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
  const response = create(ReserveResponseSchema);
  response.reservation = reservation;
  if (site === undefined) return response;
  response.site = summarise(site, terms);
  const origin = place.case === "nearest" ? place.value.origin : undefined;
  if (origin !== undefined && site.position !== undefined) response.distanceM = greatCircleM(quantise(origin), quantise(site.position));
  return response;
}
