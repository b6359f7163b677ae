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
import { GrowingBytes } from "../bytes/growing-bytes.ts";
import { createScript } from "../create-script.ts";
import { encodeEvent } from "../events/event-bytes.ts";
import type { Queues, Waiting } from "../queue/queues.ts";
import { answerTtlMs } from "./answer.ts";
import { CandidateCells, type HoldCandidate, noTerms, writeCandidates } from "./candidates.ts";
import { createHoldBatches, plainCandidatesMax } from "./hold-batches.ts";
import { type RequestIds, tieOf } from "./request-ids.ts";
import { decodeReservation, encodeReservationMessage, type ShortIds } from "./reservation-record.ts";
import { requestIdReused } from "./reservation-store.ts";

/** What a caller wants held. */
export interface HoldRequest {
  participantId: string;
  requestId: string;
  /** The first 16 bytes of the SHA-256 of the request's body. */
  fingerprint: Buffer;
  /**
   * Whether the request id is tied to the body already ({@link RequestIds}). Taking a hold ties it otherwise, and sets this: in the hold's own step
   * where that can be.
   */
  isTied: boolean;
  /** Whether the request id was seen to come for the first time when it was tied, and nothing was tried since that may have been done. Default false. */
  isFirst?: boolean;
  /** The region in which the answer is remembered. It follows from the body alone, so that a repetition finds it. */
  homeRegion: Region;
  /** The reservation but for id, site, operator, size class and held compartment. Its `hold_expires_at` and its kind of hold are set. */
  reservation: Reservation;
  /** Its event but for what the reservation lacks. */
  event: (reservationId: string) => Event;
  /** When the hold ends, in ms. */
  deadlineMs: number;
  /** How it waits where nothing is free. Undefined: it does not. */
  waiting?: Waiting;
}

/** What became of a hold: it was taken, or the request was answered before, or its reservation waits for a place now. */
export type HoldOutcome = { tag: "held" | "repeated" | "queued"; reservation: Reservation } | { tag: "none" };

/** Takes holds. */
export interface Holds {
  /**
   * Holds a place at the first candidate that has one, or gives the reservation that the same request got before.
   *
   * Candidates of several regions are tried region after region in an order that is fixed first, so that a repetition, and a twin
   * that runs at the same time, try the same regions in the same order and find what the other did.
   *
   * @param resolve Makes the candidate for a site of a plan that was fixed earlier; undefined where it is gone.
   * @throws {PetakError} REQUEST_ID_REUSED.
   */
  take(
    request: HoldRequest,
    candidates: readonly HoldCandidate[],
    resolve: (siteId: string) => Promise<HoldCandidate | undefined>,
  ): Promise<HoldOutcome>;
  /**
   * Lets the request wait at sites of one region, or gives what it got before. That it waits is fixed as the order of several regions is: whoever
   * repeats it, and a twin that still looks for a place, wait too.
   *
   * @throws {PetakError} QUEUE_FULL; QUEUE_SHARE_EXHAUSTED.
   */
  wait(
    request: HoldRequest,
    siteIds: readonly string[],
    resolve: (siteId: string) => Promise<HoldCandidate | undefined>,
  ): Promise<HoldOutcome>;
}

/**
 * How many plans one request may go through. Each is made of what a search showed, and fails only where others took all of it in between;
 * what failed stays failed, so that a repetition and a twin come to the same end.
 */
const maxPlans = 8;

/** What a plan begins with that says to wait at its sites. No site has such an id. */
const waitMark = "wait";

/** What comes in a reservation's message before the length and the id of the compartment that it holds. */
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
  // A request id concerns no region, so that on a cluster its key lies where the hold's script may not go.
  const canTie = !isCluster(redis);
  const batches = createHoldBatches(redis, keys, siteIds, cache);
  const candidateBytes = new GrowingBytes();

  async function reserveIn(
    region: Region,
    request: HoldRequest,
    candidates: readonly HoldCandidate[],
    plan: number | undefined,
  ): Promise<HoldReply> {
    const { participantId, requestId, fingerprint, reservation, deadlineMs } = request;
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
    ];
    const ties = !request.isTied && canTie;
    if (ties) scriptKeys.push(keys.requestId(participantId, requestId));
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
      answerTtlMs,
      plan === undefined ? "0" : "1",
      handle,
      deadlineMs,
      encodeReservationMessage(reservation, siteIds, 0),
      encodeEvent(request.event(reservationId), siteIds),
      ties ? tieOf(fingerprint) : "",
      bytes,
      ...hardArguments,
    ]);
    if (reply[0] !== "reused") request.isTied = true;
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

  /**
   * Takes a hold together with others, where it is a plain one of a request that has not come before. Undefined where it has to be taken by
   * itself.
   */
  async function takeTogether(request: HoldRequest, candidates: readonly HoldCandidate[]): Promise<HoldOutcome | undefined> {
    const { participantId, requestId, fingerprint, reservation, deadlineMs, homeRegion, isTied, isFirst = false } = request;
    if (isTied && !isFirst) return undefined;
    request.isFirst = false;
    if (reservation.holdKind === HoldKind.HARD || candidates.length > plainCandidatesMax) return undefined;
    const handle = handleOf(request);
    const reservationId = formatReservationId(homeRegion, handle);
    const outcome = await batches.take(homeRegion, {
      handle,
      deadlineMs,
      requestKey: isTied ? keys.plan(homeRegion, participantId, requestId) : keys.requestId(participantId, requestId),
      tie: isTied ? "" : tieOf(fingerprint),
      reservation: encodeReservationMessage(reservation, siteIds, 0),
      event: encodeEvent(request.event(reservationId), siteIds),
      candidates,
    });
    if (outcome.tag === "by itself") return undefined;
    request.isTied = true;
    if (outcome.tag === "none") {
      // What a twin may have begun since the script would find, so that the next candidates can be tried together with others' too.
      request.isFirst = true;
      return outcome;
    }
    return { tag: "held", reservation: heldReservation(reservation, reservationId, outcome.candidate, outcome.classIndex, "") };
  }

  /** Follows a fixed plan: every region either holds, or is known to hold nothing, before the next is tried. */
  async function follow(
    request: HoldRequest,
    plan: number,
    siteIds: readonly string[],
    resolve: (siteId: string) => Promise<HoldCandidate | undefined>,
  ): Promise<HoldOutcome> {
    const [first, ...rest] = siteIds;
    if (first === waitMark) return await join(request, rest);
    for (const group of groupByRegion(siteIds)) {
      const candidates = (await Promise.all(group.siteIds.map(resolve))).filter((candidate) => candidate !== undefined);
      const reply = await reserveIn(group.region, request, candidates, plan);
      if (reply.tag === "planned") throw new Error("a plan within a plan");
      if (reply.tag !== "none") return reply;
    }
    return { tag: "none" };
  }

  /** Waits as a plan says. One that finds such a plan and does not wait any more gets nothing. */
  async function join(request: HoldRequest, siteIds: readonly string[]): Promise<HoldOutcome> {
    const { participantId, requestId, fingerprint, waiting } = request;
    const handle = handleOf(request);
    const before = await queues.answered(formatReservationId(regionOf(siteIds), handle), participantId, requestId);
    if (before !== undefined) return { tag: "repeated", reservation: before };
    if (waiting === undefined) return { tag: "none" };
    const outcome = await queues.join({ participantId, requestId, fingerprint, handle, waiting }, siteIds);
    if (outcome.tag === "none") return outcome;
    return { tag: outcome.tag === "joined" ? "queued" : "repeated", reservation: outcome.reservation };
  }

  /** One that waited when it was made was answered so, and the answer is remembered. */
  async function asAnswered(outcome: HoldOutcome, { participantId, requestId }: HoldRequest): Promise<HoldOutcome> {
    if (outcome.tag !== "repeated" || outcome.reservation.queuedSince === undefined) return outcome;
    const answer = await queues.answered(outcome.reservation.reservationId, participantId, requestId);
    return answer === undefined ? outcome : { tag: "repeated", reservation: answer };
  }

  async function take(
    request: HoldRequest,
    candidates: readonly HoldCandidate[],
    resolve: (siteId: string) => Promise<HoldCandidate | undefined>,
  ): Promise<HoldOutcome> {
    const { homeRegion } = request;
    const isHome = candidates.length > 0 && candidates.every(({ region }) => region === homeRegion);
    if (!request.isTied && !(isHome && canTie)) {
      request.isFirst = !(await requestIds.claim(request.participantId, request.requestId, request.fingerprint));
      request.isTied = true;
    }
    const together = isHome ? await takeTogether(request, candidates) : undefined;
    if (together !== undefined) return together;
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
    }
    return { tag: "none" };
  }

  return {
    async take(request, candidates, resolve) {
      return await asAnswered(await take(request, candidates, resolve), request);
    },
    async wait(request, siteIds, resolve) {
      // One more than those that may have failed.
      for (let plan = 0; plan <= maxPlans; plan++) {
        const reply = await planIn(request.homeRegion, request, [waitMark, ...siteIds], plan);
        const outcome = reply.tag === "planned" ? await follow(request, plan, reply.siteIds, resolve) : reply;
        if (outcome.tag !== "none" || (reply.tag === "planned" && reply.isNew)) return await asAnswered(outcome, request);
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
      [fingerprint, steps.join(" "), answerTtlMs],
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
      case "reused":
        throw requestIdReused(requestId);
      default:
        throw new Error(`unexpected reply ${tag}`);
    }
  }
}

/** What a script said: what became of the hold, or the order of sites that was fixed for it. */
type HoldReply = HoldOutcome | { tag: "planned"; siteIds: string[]; isNew: boolean };

/**
 * The handle of the reservation that a request makes, the same whenever it comes to this store and another in any other: 80 bits of a hash of the store,
 * who asks, its id and its body. So a repetition finds the reservation itself, and nothing else need be remembered of a hold that was taken.
 */
function handleIn(storeCode: string, { participantId, requestId, fingerprint }: HoldRequest): string {
  const digest = hash("sha256", `${storeCode} ${participantId} ${requestId} ${fingerprint.toString("base64url")}`, "buffer");
  return bytesToBase32(digest.subarray(0, handleLength));
}

/** Characters of a handle, five bits each. */
const handleLength = 16;

/** Under what the plans of a request, and what became of them, are remembered. */
function planName(requestId: string, plan: number): string {
  return plan === 0 ? requestId : `${requestId}#${plan}`;
}

/** A reservation with what depends on the candidate at which it was taken. */
function heldReservation(
  reservation: Reservation,
  reservationId: string,
  { siteId, operatorId, terms = noTerms, classes }: HoldCandidate,
  classIndex: number,
  compartmentId: string,
): Reservation {
  const held = withoutUnknown(reservation);
  held.reservationId = reservationId;
  held.siteId = siteId;
  held.operatorId = operatorId;
  held.termsId = terms.termsId;
  held.sizeClassId = classes.find(({ index }) => index === classIndex)?.sizeClassId ?? "";
  held.heldCompartmentId = compartmentId;
  return held;
}

/** What the caller sent beyond the protocol is not kept, so that it is not in the first answer either. */
function withoutUnknown(reservation: Reservation): Reservation {
  const known = { ...reservation, $unknown: undefined };
  if (known.parcel?.$unknown !== undefined) {
    const { $unknown: _unknown, ...parcel } = known.parcel;
    known.parcel = parcel;
  }
  return known;
}

/** The region of sites that all lie in one. */
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
