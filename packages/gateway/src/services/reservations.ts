import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { durationMs, type Timestamp, timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  type Allocator,
  type Answer,
  checkSite,
  greatCircleM,
  type HoldCandidate,
  type HoldClass,
  type HoldOutcome,
  type HoldRequest,
  indexCellOf,
  type NearestQuery,
  quantise,
  regionOfCell,
  reservationNotFound,
  type SiteCheck,
  type SiteQuery,
  type StoredSite,
  storedCandidate,
  type Transition,
} from "@petak/allocator";
import {
  Act,
  type CancellationReason,
  CancelRequestSchema,
  ConfirmRequestSchema,
  EventType,
  HoldKind,
  IssueCredentialRequestSchema,
  invalidField,
  type Party,
  PartyKind,
  PartySchema,
  PetakError,
  Purpose,
  parseReservationId,
  parseSiteId,
  type Reservation,
  ReservationSchema,
  type ReservationService,
  ReservationState,
  type ReserveRequest,
  ReserveRequestSchema,
  type ReserveResponse,
  ReserveResponseSchema,
  Role,
  type Site,
} from "@petak/protocol";
import { fingerprintOf } from "../domain/fingerprint.ts";
import { findMove, stateName } from "../domain/moves.ts";
import { reservationEvent } from "../domain/reservation-event.ts";
import type { ParticipantCaller } from "../identity/index.ts";
import { requireParticipant } from "../identity/index.ts";
import type { SiteCache } from "../stores/site-cache.ts";
import type { CredentialIssuer } from "./credential-issuer.ts";
import { siteNotFound } from "./directory.ts";
import { siteNotAccepting, siteUnmet } from "./named-site.ts";
import { namedSiteQuery, reserveNearestQuery } from "./nearest-query.ts";
import { isParty } from "./parties.ts";
import { summarise } from "./site-summary.ts";

/** What reservations need. */
export interface ReservationDependencies {
  allocator: Allocator;
  siteCache: SiteCache;
  credentials: CredentialIssuer;
  now: () => number;
  /** How long a place is held where the caller does not say, and at most, in ms. */
  holdDefaultMs: number;
  holdMaxMs: number;
  /** How long the depositor has where the caller does not say, in ms. */
  depositDefaultMs: number;
}

/**
 * Sites that Reserve tries in one go: with the first full, the next is a few hundred metres on. What a search showed is seldom older than a few
 * ms, so that the first still has its place nearly always, and where all of these have gone, it searches anew.
 */
const candidatesTried = 3;

/** How often a call starts anew when what it read has changed before it could write. */
const maxAttempts = 5;

/** How often Reserve searches anew when others took all that a search had shown: under a rush for one place, each round somebody wins. */
const maxReserveAttempts = 25;

/** Places and the right to use them. */
export function createReservationService(dependencies: ReservationDependencies): ServiceImpl<typeof ReservationService> {
  const { allocator, siteCache, credentials, now } = dependencies;

  /** A reservation to which the caller is a party. To anybody else it does not exist. */
  async function findOwn(reservationId: string, caller: ParticipantCaller): Promise<Reservation> {
    const reservation = await allocator.reservations.find(reservationId);
    if (reservation === undefined || !isParty(reservation, caller)) throw reservationNotFound(reservationId);
    return reservation;
  }

  /** Only the participant that made it, and where allowed the site's operator, may change a reservation. */
  function refuseOthers(reservation: Reservation, caller: ParticipantCaller, operatorToo: boolean): void {
    if (reservation.participantId === caller.participantId) return;
    if (operatorToo && reservation.operatorId === caller.participantId) return;
    throw reservationNotFound(reservation.reservationId);
  }

  interface Change {
    caller: ParticipantCaller;
    requestId: string;
    reservationId: string;
    fingerprint: Buffer;
    operatorToo: boolean;
    /** The transition for the reservation as it stands, and the answer to remember. */
    plan(
      before: Reservation,
      stored: StoredSite,
      attempt: number,
    ): Promise<Omit<Transition, "before" | "cell" | "classIndex" | "answer"> & { answer: Uint8Array }>;
  }

  /** Makes a change once, whatever comes in between, and gives its answer; a repetition gets the answer of the first. */
  async function change({ caller, requestId, reservationId, fingerprint, operatorToo, plan }: Change): Promise<Uint8Array> {
    const { participantId } = caller;
    await allocator.requestIds.claim(participantId, requestId, fingerprint);
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const before = await findOwn(reservationId, caller);
      refuseOthers(before, caller, operatorToo);
      // Read after the reservation: whoever has just moved it for the same request wrote the answer in the same instant.
      const region = parseReservationId(reservationId)?.region ?? "";
      const known = await allocator.requestIds.recall(region, participantId, requestId);
      if (known !== undefined) return known;
      const stored = await allocator.sites.find(before.siteId);
      if (stored === undefined) throw siteNotFound(before.siteId);
      const { answer, ...transition } = await plan(before, stored, attempt);
      const outcome = await allocator.reservations.move({
        ...transition,
        before,
        cell: stored.cell,
        classIndex: classIndexOf(stored, before.sizeClassId),
        answer: { participantId, requestId, fingerprint, bytes: answer } satisfies Answer,
      });
      if (outcome.tag === "done") return answer;
      if (outcome.tag === "repeated") return outcome.answer;
    }
    throw new PetakError("CONFLICT", `reservation ${reservationId} kept changing; send the same request again`, {
      metadata: { reservation_id: reservationId },
    });
  }

  /** The reservation in its next state. */
  function moved(before: Reservation, to: ReservationState, change: Partial<Reservation>): Reservation {
    return { ...before, ...change, state: to, revision: before.revision + 1, updatedAt: timestampFromMs(now()) };
  }

  /** Candidates for a hold: the sites near a point. */
  async function candidatesNear(query: NearestQuery, signal: AbortSignal): Promise<HoldCandidate[]> {
    const candidates = await allocator.nearest(query, { signal });
    const sites = await siteCache.facts(candidates);
    return candidates.flatMap((candidate, index) => {
      const site = sites[index];
      if (site === undefined) return [];
      const { siteId, region, siteNumber, revision, cell, offset } = candidate;
      return {
        siteId,
        region,
        siteNumber,
        operatorId: site.operatorId,
        revision,
        cell,
        offset,
        classes: candidate.classes.map((sizeClass) => holdClass(site, sizeClass.index, query)),
      };
    });
  }

  /** The candidate for a named site. */
  async function candidateAt(siteId: string, query: SiteQuery): Promise<HoldCandidate> {
    const stored = await allocator.sites.find(siteId);
    if (stored === undefined || stored.site.isTest !== query.isTest) throw siteNotFound(siteId);
    siteCache.remember(stored);
    if (!stored.isOffered) throw siteNotAccepting(siteId);
    const check = checkSite(query, stored.site, stored.observation);
    if (check.reason !== undefined) throw siteUnmet(siteId, check.reason, check);
    return holdCandidate(stored, check, query);
  }

  /** The candidate for a site that an earlier search showed, undefined where it would not show it any more. */
  async function candidateAgain(siteId: string, query: SiteQuery | NearestQuery): Promise<HoldCandidate | undefined> {
    const stored = await allocator.sites.find(siteId);
    if (stored?.site.position === undefined) return undefined;
    const check = checkSite(query, stored.site, stored.observation);
    const isWithin = !("origin" in query) || greatCircleM(quantise(query.origin), quantise(stored.site.position)) <= query.radiusM;
    return check.reason === undefined && isWithin ? holdCandidate(stored, check, query) : undefined;
  }

  function respond(request: ReserveRequest, { reservation }: { reservation: Reservation }): ReserveResponse | Promise<ReserveResponse> {
    const facts = siteCache.facts([{ siteId: reservation.siteId, revision: 0 }]);
    return facts instanceof Promise
      ? facts.then(([site]) => reserveResponse(request, reservation, site))
      : reserveResponse(request, reservation, facts[0]);
  }

  return {
    async reserve(request, context) {
      const caller = requireParticipant(context, { roles: [Role.COURIER, Role.MERCHANT] });
      const isTest = caller.mode === "test";
      const fingerprint = fingerprintOf(ReserveRequestSchema, request);
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
        fingerprint,
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
            recordedAtMs: createdAtMs,
          }),
      };
      const { place } = request;
      const nearest =
        place.case === "nearest" ? reserveNearestQuery(request, place.value, isTest, createdAtMs, candidatesTried) : undefined;
      const query = nearest ?? namedSiteQuery(request, isTest, createdAtMs);
      const resolve = (siteId: string) => candidateAgain(siteId, query);
      if (nearest === undefined) {
        hold.isFirst = !(await allocator.requestIds.claim(hold.participantId, hold.requestId, fingerprint));
        hold.isTied = true;
        if (!hold.isFirst) {
          // Looks only: whoever repeats a request gets its answer even where the site has no place, or is not open, any more.
          const outcome = await allocator.holds.take(hold, [], resolve);
          if (outcome.tag !== "none") return respond(request, outcome);
        }
      }
      let outcome: HoldOutcome = { tag: "none" };
      let mayBeMore = true;
      for (let attempt = 0; attempt < maxReserveAttempts && outcome.tag === "none" && mayBeMore; attempt++) {
        const candidates =
          nearest === undefined
            ? [await candidateAt(place.case === "siteId" ? place.value : "", query)]
            : await candidatesNear(nearest, context.signal);
        // Others may take all that a search showed before this call does: only a search that shows nothing says that nothing is free.
        mayBeMore = nearest === undefined ? attempt < maxAttempts : candidates.length > 0;
        if (candidates.length > 0) outcome = await allocator.holds.take(hold, candidates, resolve);
      }
      // A twin may have taken the last place for this very request, or the request itself when it came before.
      if (outcome.tag === "none") outcome = await allocator.holds.take(hold, [], resolve);
      if (outcome.tag !== "none") return respond(request, outcome);
      throw mayBeMore && nearest !== undefined ? keptFilling() : noPlaceFree(request);
    },

    async confirm(request, context) {
      const caller = requireParticipant(context);
      const answer = await change({
        caller,
        requestId: request.requestId,
        reservationId: request.reservationId,
        fingerprint: fingerprintOf(ConfirmRequestSchema, request),
        operatorToo: false,
        plan: async (before) => {
          const atMs = now();
          const withinMs = request.depositWithin === undefined ? dependencies.depositDefaultMs : durationMs(request.depositWithin);
          refuseMove(before, ReservationState.CONFIRMED);
          refusePassed(before, before.holdExpiresAt, atMs, ReservationState.EXPIRED, ReservationState.CONFIRMED);
          const after = moved(before, ReservationState.CONFIRMED, { depositUntil: timestampFromMs(atMs + withinMs) });
          return {
            ...transitionTo(before, after, caller, atMs),
            deadlineMs: atMs + withinMs,
            isAllowed: true,
            answer: toBinary(ReservationSchema, after),
          };
        },
      });
      return { reservation: fromBinary(ReservationSchema, answer) };
    },

    async cancel(request, context) {
      const caller = requireParticipant(context);
      const answer = await change({
        caller,
        requestId: request.requestId,
        reservationId: request.reservationId,
        fingerprint: fingerprintOf(CancelRequestSchema, request),
        operatorToo: true,
        plan: async (before) => {
          refuseMove(before, ReservationState.CANCELLED);
          const after = moved(before, ReservationState.CANCELLED, {});
          // While a token to deposit may be about, the site's agent has to know that it opens nothing any more.
          const tokenEndsMs = before.depositUntil === undefined ? null : timestampMs(before.depositUntil);
          return {
            ...transitionTo(before, after, caller, now(), request.reason),
            deadlineMs: tokenEndsMs,
            isAllowed: tokenEndsMs !== null,
            pin: null,
            answer: toBinary(ReservationSchema, after),
          };
        },
      });
      return { reservation: fromBinary(ReservationSchema, answer) };
    },

    async getReservation(request, context) {
      const caller = requireParticipant(context);
      return { reservation: await findOwn(request.reservationId, caller) };
    },

    async issueCredential(request, context) {
      const caller = requireParticipant(context);
      if (request.act !== Act.DEPOSIT && request.act !== Act.COLLECT) {
        throw new PetakError("ACT_NOT_SERVED", "credentials are issued for DEPOSIT and COLLECT");
      }
      if (request.withPin && request.act !== Act.COLLECT) {
        throw invalidField("with_pin", "a PIN is issued for COLLECT only", "issue_credential.pin_for_collect");
      }
      const answer = await change({
        caller,
        requestId: request.requestId,
        reservationId: request.reservationId,
        fingerprint: fingerprintOf(IssueCredentialRequestSchema, request),
        operatorToo: false,
        plan: async (before, stored, attempt) => {
          const atMs = now();
          refuseAct(before, request.act, atMs);
          const sizeClassIndex = classIndexOf(stored, before.sizeClassId);
          const terms = { ...credentials.validity(before, request.act, atMs), attempt, sizeClassIndex };
          const event = reservationEvent({
            type: EventType.CREDENTIAL_ISSUED,
            reservation: before,
            stateBefore: before.state,
            actor: participantParty(caller),
            occurredAtMs: atMs,
            recordedAtMs: atMs,
          });
          return {
            heldChange: 0,
            occupiedChange: 0,
            ...(request.withPin ? { pin: await credentials.pinEntry(before, request.requestId, terms) } : {}),
            events: [event],
            answer: credentials.encodeTerms(terms),
          };
        },
      });
      return await credentials.issue({
        reservation: await findOwn(request.reservationId, caller),
        requestId: request.requestId,
        act: request.act,
        withPin: request.withPin,
        terms: credentials.decodeTerms(answer),
      });
    },
  };

  function transitionTo(
    before: Reservation,
    after: Reservation,
    caller: ParticipantCaller,
    atMs: number,
    cancellationReason?: CancellationReason,
  ) {
    const move = findMove(before.state, after.state);
    if (move === undefined) throw illegalState(before, after.state);
    return {
      after,
      heldChange: move.heldChange,
      occupiedChange: move.occupiedChange,
      events: [
        reservationEvent({
          type: move.event,
          reservation: after,
          stateBefore: before.state,
          actor: participantParty(caller),
          occurredAtMs: atMs,
          recordedAtMs: atMs,
          cancellationReason,
        }),
      ],
    };
  }
}

/** The index of a size class among those of its site; undefined where the operator has taken it away since. */
export function findClassIndex({ site }: StoredSite, sizeClassId: string): number | undefined {
  const index = site.sizeClasses.findIndex((sizeClass) => sizeClass.sizeClassId === sizeClassId);
  return index < 0 ? undefined : index;
}

/** The index of a size class in which a place is held or occupied: such a class stays where it is. */
export function classIndexOf(stored: StoredSite, sizeClassId: string): number {
  const index = findClassIndex(stored, sizeClassId);
  if (index === undefined) throw new Error(`site ${stored.site.siteId} has no size class ${sizeClassId}`);
  return index;
}

function holdCandidate(stored: StoredSite, { classes }: SiteCheck, query: SiteQuery): HoldCandidate {
  return storedCandidate(
    stored,
    classes.map((index) => holdClass(stored.site, index, query)),
  );
}

function holdClass({ sizeClasses, compartments }: Site, index: number, { isHard = false }: SiteQuery): HoldClass {
  const sizeClassId = sizeClasses[index]?.sizeClassId ?? "";
  if (!isHard) return { index, sizeClassId };
  const ofClass = compartments.filter((compartment) => compartment.sizeClassId === sizeClassId);
  // The last first: agents give soft holds the first that is empty, so that the two seldom want the same door.
  return { index, sizeClassId, compartmentIds: ofClass.map(({ compartmentId }) => compartmentId).reverse() };
}

/** Where the answer to a Reserve is remembered: it follows from the body, so that a repetition looks in the same region. */
function homeRegion(request: ReserveRequest): string {
  if (request.place.case === "nearest") {
    const { origin } = request.place.value;
    if (origin === undefined) throw new TypeError("validation let an empty field through");
    return regionOfCell(indexCellOf(quantise(origin)));
  }
  const siteId = request.place.value ?? "";
  const id = parseSiteId(siteId);
  if (id === undefined) throw siteNotFound(siteId);
  return id.region;
}

function reserveResponse({ place }: ReserveRequest, reservation: Reservation, site: Site | undefined): ReserveResponse {
  const response = create(ReserveResponseSchema);
  response.reservation = reservation;
  if (site === undefined) return response;
  response.site = summarise(site);
  const origin = place.case === "nearest" ? place.value.origin : undefined;
  if (origin !== undefined && site.position !== undefined) response.distanceM = greatCircleM(quantise(origin), quantise(site.position));
  return response;
}

/** The consumer of every reservation. */
const consumerParty: Party = Object.freeze(create(PartySchema, { kind: PartyKind.CONSUMER }));

function heldReservation(request: ReserveRequest, caller: ParticipantCaller, createdAtMs: number, deadlineMs: number): Reservation {
  const participant = participantParty(caller);
  const isDelivery = request.purpose === Purpose.UNSPECIFIED || request.purpose === Purpose.DELIVERY;
  // Several times as fast as to give `create` the fields.
  const reservation = create(ReservationSchema);
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
  return reservation;
}

function participantParty({ participantId }: ParticipantCaller): Party {
  const party = create(PartySchema);
  party.kind = PartyKind.PARTICIPANT;
  party.participantId = participantId;
  return party;
}

function refuseMove(before: Reservation, to: ReservationState): void {
  if (findMove(before.state, to) === undefined) throw illegalState(before, to);
}

/** The clock may be past a limit before the sweep has come by: what the limit says holds at once, and the reservation is in `then`. */
function refusePassed(before: Reservation, limit: Timestamp | undefined, atMs: number, then: ReservationState, to: ReservationState): void {
  if (limit !== undefined && timestampMs(limit) <= atMs) throw illegalState({ ...before, state: then }, to);
}

function refuseAct(before: Reservation, act: Act, atMs: number): void {
  const { state, depositUntil, collectUntil } = before;
  const to = act === Act.COLLECT ? ReservationState.COLLECTED : ReservationState.DEPOSITED;
  const isServed = state === ReservationState.CONFIRMED || (act === Act.COLLECT && state === ReservationState.DEPOSITED);
  if (!isServed) throw illegalState(before, to);
  // A credential counts in whole seconds, so in the last one there is none left to be good in.
  const lastSecondMs = atMs - (atMs % 1000) + 999;
  if (state === ReservationState.CONFIRMED) refusePassed(before, depositUntil, lastSecondMs, ReservationState.NO_SHOW, to);
  else if (collectUntil !== undefined && timestampMs(collectUntil) <= lastSecondMs)
    throw illegalState(before, to, ": collect_until has passed");
}

function illegalState({ reservationId, state }: Reservation, to: ReservationState, why = ""): PetakError {
  return new PetakError("ILLEGAL_STATE", `reservation ${reservationId} is ${stateName(state)} and cannot become ${stateName(to)}${why}`, {
    metadata: { reservation_id: reservationId, subject: reservationId, state: stateName(state), wanted: stateName(to) },
  });
}

function noPlaceFree({ place }: ReserveRequest): PetakError {
  if (place.case === "siteId") {
    return new PetakError("NO_PLACE_FREE", `no place that fits is free at site ${place.value}`, {
      metadata: { site_id: place.value },
      retryAfterMs: noPlaceRetryMs,
    });
  }
  const radiusM = place.value?.radiusM ?? 0;
  const where = radiusM === 0 ? "anywhere" : `within ${radiusM} m`;
  return new PetakError("NO_PLACE_FREE", `no place that fits is free ${where} with these filters`, {
    metadata: { radius_m: String(radiusM) },
    retryAfterMs: noPlaceRetryMs,
  });
}

/** A rush: worth another try at once, with the same request. */
function keptFilling(): PetakError {
  return new PetakError("CONFLICT", "others took every place that was found before this call could; send the same request again", {
    retryAfterMs: 100,
  });
}

/** Places come free when parcels are collected: asking again within the minute is seldom of use. */
const noPlaceRetryMs = 60_000;
