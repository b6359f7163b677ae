import { hash } from "node:crypto";
import { create, toBinary } from "@bufbuild/protobuf";
import type { IndexCache } from "@petak/allocator";
import { asMade } from "@petak/lifecycle";
import {
  bytesToBase32,
  type Event,
  formatReservationId,
  HoldKind,
  parseSiteId,
  type Region,
  type Reservation,
  ReservationSchema,
} from "@petak/protocol";
import { isCluster, type Keys, type RedisConnection, type ScriptReply } from "@petak/redis";
import { encodeCausedEvent } from "../encoding/event-bytes.ts";
import { GrowingBytes } from "../encoding/growing-bytes.ts";
import { decodeExhaustion, type HoldLimits, noHoldLimits, packedHoldLimits, sharerOf } from "../encoding/hold-limits.ts";
import { decodeReservation, encodeReservationMessage } from "../encoding/reservation-record.ts";
import { noTerms, type ShortIds } from "../encoding/short-ids.ts";
import { bindingOf, type RequestIds, requestIdReused } from "../idempotency/request-ids.ts";
import { responseTtlMs } from "../idempotency/stored-response.ts";
import { createScript } from "../lua/create-script.ts";
import type { Queues, Waiting } from "../queue/queues.ts";
import { CandidateCells, type HoldCandidate, writeCandidates } from "./candidates.ts";
import { createHoldBatches, type NoHold, plainCandidatesMax } from "./hold-batches.ts";

/** A request for a hold. The idempotency flags are updated by the calls that it is passed to. */
export interface HoldRequest {
  participantId: string;
  requestId: string;
  /** The first 16 bytes of the SHA-256 of the request's body. */
  fingerprint: Buffer;
  /**
   * Whether the request id is bound to the body already, see {@link RequestIds.claim}. Otherwise taking a hold binds it, if possible in the same script, and sets
   * this.
   */
  isBound: boolean;
  /** Whether the request id was new when it was bound, and no attempt since may have taken a hold. Default false. */
  isFirst?: boolean;
  /** The region in which the response is stored. It follows from the body alone, so that a repeated request looks in the same region. */
  homeRegion: Region;
  /** The reservation without id, site, operator, size class and held compartment. `hold_expires_at` and `hold_kind` must be set. */
  reservation: Reservation;
  /** The event of the hold, without site and operator. */
  event: (reservationId: string) => Event;
  /** When the hold expires, in ms since 1970. */
  deadlineMs: number;
  /** The limits on the participant's unconfirmed holds. Default: none. */
  limits?: Readonly<HoldLimits>;
  /** How the reservation is queued if no place is free. Undefined: it is not. */
  waiting?: Waiting;
}

/**
 * The result of a hold: `held` it was taken; `repeated` the same request got a reservation before; `queued` the reservation is queued; `none` no place is free, or
 * with `exhaustion` none is at which the participant may hold one more.
 */
export type HoldOutcome = { tag: "held" | "repeated" | "queued"; reservation: Reservation } | NoHold;

/** Takes holds. */
export interface Holds {
  /**
   * Holds a place at the first candidate that has one and at which the participant may hold one more, or returns the reservation that the same request got before.
   *
   * Candidates of several regions are tried region by region. The order, the plan, is stored first, so that a duplicate tries the same regions in the same order
   * and finds the result of the other.
   *
   * @param resolve makes the candidate for a site of a stored plan. Undefined if the site does not fit any more
   * @throws {PetakError} REQUEST_ID_REUSED.
   */
  take(
    request: HoldRequest,
    candidates: readonly HoldCandidate[],
    resolve: (siteId: string) => Promise<HoldCandidate | undefined>,
  ): Promise<HoldOutcome>;
  /**
   * Queues the reservation at sites of one region, or returns what the same request got before. The decision to queue is stored as a plan too, so that a duplicate
   * that is still looking for a place is queued as well.
   *
   * @throws {PetakError} REQUEST_ID_REUSED; QUEUE_FULL; QUEUE_SHARE_EXHAUSTED; CONFLICT if a site was changed concurrently too often.
   */
  wait(
    request: HoldRequest,
    siteIds: readonly string[],
    resolve: (siteId: string) => Promise<HoldCandidate | undefined>,
  ): Promise<HoldOutcome>;
}

/**
 * The most plans of one request. Each contains the results of a search, and fails only if other requests take all of them first. A failed plan stays failed, so
 * that duplicates come to the same result.
 */
const maxPlans = 8;

/** The first element of a plan to be queued at its sites. No site has this id. */
const queuePrefix = "wait";

/** The tag of a reservation's field for the held compartment, without length and id. */
const heldCompartmentTag = Buffer.from(toBinary(ReservationSchema, create(ReservationSchema, { heldCompartmentId: "x" }))).subarray(0, -2);

const reserveScript = createScript("reserve");
const planScript = createScript("plan");

/** Takes holds in Redis. */
export function createHolds(
  redis: RedisConnection,
  keys: Keys,
  ids: ShortIds,
  requestIds: RequestIds,
  queues: Queues,
  cache?: IndexCache,
): Holds {
  const { siteIds } = ids;
  const handleOf = (request: HoldRequest) => handleIn(siteIds.storeCode, request);
  // A request id belongs to no region, so on a cluster its key is usually in another slot than the script's keys.
  const bindsInScript = !isCluster(redis);
  const batches = createHoldBatches(redis, keys, siteIds, cache);
  const candidateBytes = new GrowingBytes();

  async function reserveIn(
    region: Region,
    request: HoldRequest,
    candidates: readonly HoldCandidate[],
    plan: number | undefined,
  ): Promise<HoldReply> {
    const { participantId, requestId, fingerprint, reservation, deadlineMs, limits = noHoldLimits } = request;
    const handle = handleOf(request);
    const reservationId = formatReservationId(region, handle);
    const isHard = reservation.holdKind === HoldKind.HARD;
    const { cells, bytes } = writtenCandidates(candidates, isHard);
    const scriptKeys = [
      keys.reservation(region, handle),
      keys.deadlines(region),
      keys.events(region),
      keys.plan(region, participantId, requestId),
      keys.storedResponse(region, participantId, planName(requestId, plan ?? 0)),
      keys.held(region),
    ];
    const bindsHere = !request.isBound && bindsInScript;
    if (bindsHere) scriptKeys.push(keys.requestId(participantId, requestId));
    for (const cell of cells) scriptKeys.push(keys.block(region, cell), keys.siteCounts(region, cell));
    const hardArguments = isHard ? [scriptKeys.length, heldCompartmentTag] : [];
    if (isHard) {
      for (const { siteNumber } of candidates) {
        scriptKeys.push(
          keys.siteCompartments(region, siteNumber),
          keys.siteAllowed(region, siteNumber),
          keys.siteAllowedVersion(region, siteNumber),
        );
      }
    }
    const reply = await reserveScript(redis, scriptKeys, [
      fingerprint,
      responseTtlMs,
      plan === undefined ? "0" : "1",
      handle,
      deadlineMs,
      encodeReservationMessage(reservation, siteIds, 0),
      encodeCausedEvent(request.event(reservationId), siteIds),
      bindsHere ? bindingOf(fingerprint) : "",
      bytes,
      sharerOf(reservation),
      packedHoldLimits(limits),
      ...hardArguments,
    ]);
    if (reply[0] !== "reused") request.isBound = true;
    const [tag, place, classIndex, compartmentId = ""] = reply;
    if (tag !== "held") return await replyIn(region, handle, reply, requestId);
    const candidate = candidates[Number(place) - 1] as HoldCandidate;
    return { tag, reservation: heldReservation(reservation, reservationId, candidate, Number(classIndex), compartmentId.toString()) };
  }

  function writtenCandidates(candidates: readonly HoldCandidate[], isHard: boolean): { cells: readonly string[]; bytes: Buffer } {
    const cells = new CandidateCells();
    candidateBytes.reset();
    writeCandidates(candidateBytes, cells, candidates, { isHard, siteIds });
    return { cells: cells.cells, bytes: candidateBytes.copy() };
  }

  /** Takes a hold in a batch with others, if it is plain and the request is new. Undefined if it must be taken alone. */
  async function takeInBatch(request: HoldRequest, candidates: readonly HoldCandidate[]): Promise<HoldOutcome | undefined> {
    const {
      participantId,
      requestId,
      fingerprint,
      reservation,
      deadlineMs,
      homeRegion,
      isBound,
      isFirst = false,
      limits = noHoldLimits,
    } = request;
    if (isBound && !isFirst) return undefined;
    request.isFirst = false;
    if (reservation.holdKind === HoldKind.HARD || candidates.length > plainCandidatesMax) return undefined;
    const handle = handleOf(request);
    const reservationId = formatReservationId(homeRegion, handle);
    const outcome = await batches.take(homeRegion, {
      handle,
      deadlineMs,
      requestKey: isBound ? keys.plan(homeRegion, participantId, requestId) : keys.requestId(participantId, requestId),
      binding: isBound ? "" : bindingOf(fingerprint),
      sharer: sharerOf(reservation),
      limits,
      reservation: encodeReservationMessage(reservation, siteIds, 0),
      event: encodeCausedEvent(request.event(reservationId), siteIds),
      candidates,
    });
    if (outcome.tag === "alone") return undefined;
    request.isBound = true;
    if (outcome.tag === "none") {
      // The next candidates can be tried in a batch too: the script detects what a duplicate has begun meanwhile.
      request.isFirst = true;
      return outcome;
    }
    return { tag: "held", reservation: heldReservation(reservation, reservationId, outcome.candidate, outcome.classIndex, "") };
  }

  /** Follows a stored plan. A region is tried only when it is stored that the one before has no place for the request. */
  async function follow(
    request: HoldRequest,
    plan: number,
    siteIds: readonly string[],
    resolve: (siteId: string) => Promise<HoldCandidate | undefined>,
  ): Promise<HoldOutcome> {
    const [first, ...rest] = siteIds;
    if (first === queuePrefix) return await join(request, rest);
    let last: NoHold = { tag: "none" };
    for (const group of groupByRegion(siteIds)) {
      const candidates = (await Promise.all(group.siteIds.map(resolve))).filter((candidate) => candidate !== undefined);
      const reply = await reserveIn(group.region, request, candidates, plan);
      if (reply.tag === "planned") throw new Error("a plan refers to another plan");
      if (reply.tag !== "none") return reply;
      if (reply.exhaustion !== undefined) last = reply;
    }
    return last;
  }

  /** Follows a plan to be queued. A request that cannot be queued any more gets `none`. */
  async function join(request: HoldRequest, siteIds: readonly string[]): Promise<HoldOutcome> {
    const { participantId, requestId, fingerprint, waiting } = request;
    const handle = handleOf(request);
    const before = await queues.findResponse(formatReservationId(regionOf(siteIds), handle), participantId, requestId);
    if (before !== undefined) return { tag: "repeated", reservation: before };
    if (waiting === undefined) return { tag: "none" };
    const outcome = await queues.join({ participantId, requestId, fingerprint, handle, waiting }, siteIds);
    if (outcome.tag === "none") return outcome;
    return { tag: outcome.tag === "joined" ? "queued" : "repeated", reservation: outcome.reservation };
  }

  /** A repeated request whose reservation was queued gets the response of that time, not the reservation as it is now. */
  async function asResponded(outcome: HoldOutcome, { participantId, requestId }: HoldRequest): Promise<HoldOutcome> {
    if (outcome.tag !== "repeated" || outcome.reservation.queuedSince === undefined) return outcome;
    const response = await queues.findResponse(outcome.reservation.reservationId, participantId, requestId);
    return response === undefined ? outcome : { tag: "repeated", reservation: response };
  }

  async function take(
    request: HoldRequest,
    candidates: readonly HoldCandidate[],
    resolve: (siteId: string) => Promise<HoldCandidate | undefined>,
  ): Promise<HoldOutcome> {
    const { homeRegion } = request;
    let last: NoHold = { tag: "none" };
    const isHome = candidates.length > 0 && candidates.every(({ region }) => region === homeRegion);
    if (!request.isBound && !(isHome && bindsInScript)) {
      request.isFirst = !(await requestIds.claim(request.participantId, request.requestId, request.fingerprint));
      request.isBound = true;
    }
    const inBatch = isHome ? await takeInBatch(request, candidates) : undefined;
    if (inBatch !== undefined) return inBatch;
    for (let plan = 0; plan < maxPlans; plan++) {
      const reply =
        isHome && plan === 0
          ? await reserveIn(homeRegion, request, candidates, undefined)
          : await planIn(
              homeRegion,
              request,
              candidates.map(({ siteId }) => siteId),
              plan,
            );
      if (reply.tag !== "planned") return reply;
      const outcome = await follow(request, plan, reply.siteIds, resolve);
      if (outcome.tag !== "none" || reply.isNew) return outcome;
      last = outcome;
    }
    return last;
  }

  return {
    async take(request, candidates, resolve) {
      return await asResponded(await take(request, candidates, resolve), request);
    },
    async wait(request, siteIds, resolve) {
      // One more than the plans that may have failed.
      for (let plan = 0; plan <= maxPlans; plan++) {
        const reply = await planIn(request.homeRegion, request, [queuePrefix, ...siteIds], plan);
        const outcome = reply.tag === "planned" ? await follow(request, plan, reply.siteIds, resolve) : reply;
        if (outcome.tag !== "none" || (reply.tag === "planned" && reply.isNew)) return await asResponded(outcome, request);
      }
      return { tag: "none" };
    },
  };

  async function planIn(region: Region, request: HoldRequest, steps: readonly string[], plan: number): Promise<HoldReply> {
    const { participantId, requestId, fingerprint } = request;
    const handle = handleOf(request);
    const reply = await planScript(
      redis,
      [keys.plan(region, participantId, planName(requestId, plan)), keys.reservation(region, handle)],
      [fingerprint, steps.join(" "), responseTtlMs],
    );
    return await replyIn(region, handle, reply, requestId);
  }

  async function replyIn(region: Region, handle: string, [tag, value]: ScriptReply, requestId: string): Promise<HoldReply> {
    switch (tag) {
      case "repeated":
        return { tag, reservation: asMade(await decodeReservation(region, handle, value as Buffer, ids)) };
      case "planned":
      case "fixed":
        return { tag: "planned", siteIds: (value as Buffer).toString().split(" "), isNew: tag === "fixed" };
      case "none":
        return { tag };
      case "exhausted":
        return { tag: "none", exhaustion: decodeExhaustion(value as Buffer) };
      case "reused":
        throw requestIdReused(requestId);
      default:
        throw new Error(`unexpected reply ${tag}`);
    }
  }
}

/** The reply of a script: the result of the hold, or the stored plan. */
type HoldReply = HoldOutcome | { tag: "planned"; siteIds: string[]; isNew: boolean };

/**
 * The handle of the reservation that a request makes: 80 bits of a hash of store, participant, request id and body. A repeated request finds the reservation
 * itself by it, so no response needs to be stored for a hold. Another store makes another handle.
 */
function handleIn(storeCode: string, { participantId, requestId, fingerprint }: HoldRequest): string {
  const digest = hash("sha256", `${storeCode} ${participantId} ${requestId} ${fingerprint.toString("base64url")}`, "buffer");
  return bytesToBase32(digest.subarray(0, handleLength));
}

/** Characters of a handle, five bits each. */
const handleLength = 16;

/** The name under which a plan of a request, or its failure, is stored. */
function planName(requestId: string, plan: number): string {
  return plan === 0 ? requestId : `${requestId}#${plan}`;
}

/** A reservation with the fields that depend on the candidate. */
function heldReservation(
  reservation: Reservation,
  reservationId: string,
  { siteId, operatorId, terms = noTerms, revision, classes }: HoldCandidate,
  classIndex: number,
  compartmentId: string,
): Reservation {
  const held = withoutUnknown(reservation);
  held.reservationId = reservationId;
  held.siteId = siteId;
  held.operatorId = operatorId;
  held.termsId = terms.termsId;
  held.siteRevision = revision;
  held.sizeClassId = classes.find(({ index }) => index === classIndex)?.sizeClassId ?? "";
  held.heldCompartmentId = compartmentId;
  return held;
}

/** Drops unknown fields, as storing does, so that the first response equals that of a repetition. */
function withoutUnknown(reservation: Reservation): Reservation {
  const known = { ...reservation, $unknown: undefined };
  if (known.parcel?.$unknown !== undefined) {
    const { $unknown: _unknown, ...parcel } = known.parcel;
    known.parcel = parcel;
  }
  return known;
}

/** The region of sites that are all in one region. */
function regionOf([siteId = ""]: readonly string[]): Region {
  return parseSiteId(siteId)?.region ?? "";
}

function groupByRegion(siteIds: readonly string[]): { region: Region; siteIds: string[] }[] {
  const groups: { region: Region; siteIds: string[] }[] = [];
  for (const siteId of siteIds) {
    const region = parseSiteId(siteId)?.region ?? "";
    const last = groups.find((group) => group.region === region);
    if (last === undefined) groups.push({ region, siteIds: [siteId] });
    else last.siteIds.push(siteId);
  }
  return groups;
}
