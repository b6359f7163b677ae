import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type Event,
  EventSchema,
  newReservationId,
  parseReservationId,
  parseSiteId,
  type Region,
  type Reservation,
  ReservationSchema,
} from "@petak/protocol";
import type { RedisConnection } from "../connection/connect-redis.ts";
import type { Keys } from "../keys.ts";
import { createScript, type ScriptArgument, type ScriptReply } from "../scripts/scripts.ts";
import { siteNumberBytes } from "../sites/site-store.ts";
import { answerTtlMs } from "./answer.ts";
import { encodeEvent, requestIdReused } from "./reservation-store.ts";

/** A site at which a hold may be taken. */
export interface HoldCandidate {
  siteId: string;
  operatorId: string;
  /** Revision, cell and offset under which the caller saw it. */
  revision: number;
  cell: string;
  offset: number;
  /** The size classes that would do, best first. */
  classes: { index: number; sizeClassId: string }[];
}

/** What a caller wants held. */
export interface HoldRequest {
  participantId: string;
  requestId: string;
  /** The first 16 bytes of the SHA-256 of the request's body. */
  fingerprint: Buffer;
  /** The region in which the answer is remembered. It follows from the body alone, so that a repetition finds it. */
  homeRegion: Region;
  /** The reservation but for id, site, operator and size class. Its `hold_expires_at` is set. */
  reservation: Reservation;
  /** Its event but for what the reservation lacks. */
  event: (reservationId: string) => Event;
  /** When the hold ends, in ms. */
  deadlineMs: number;
}

/** What became of a hold. */
export type HoldOutcome = { tag: "held" | "repeated"; reservation: Reservation } | { tag: "none" };

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
}

/**
 * How many plans one request may go through. Each is made of what a search showed, and fails only where others took all of it in between;
 * what failed stays failed, so that a repetition and a twin come to the same end.
 */
const maxPlans = 8;

const reserveScript = createScript("reserve");
const planScript = createScript("plan");

/** Takes holds in Redis. */
export function createHolds(redis: RedisConnection, keys: Keys): Holds {
  async function reserveIn(
    region: Region,
    request: HoldRequest,
    candidates: readonly HoldCandidate[],
    plan: number | undefined,
  ): Promise<ScriptReply> {
    const reservationId = newReservationId(region);
    const { handle } = parseReservationId(reservationId) as { handle: string };
    const scriptKeys = [
      keys.answer(region, request.participantId, planId(request, plan ?? 0)),
      keys.reservation(region, handle),
      keys.deadlines(region),
      keys.events(region),
      keys.chain(region, handle),
      keys.plan(region, request.participantId, request.requestId),
    ];
    const args: ScriptArgument[] = [
      request.fingerprint,
      answerTtlMs,
      plan === undefined ? "0" : "1",
      handle,
      request.deadlineMs,
      Buffer.from(toBinary(ReservationSchema, { ...request.reservation, reservationId }, { writeUnknownFields: false })),
      encodeEvent(request.event(reservationId)),
    ];
    for (const candidate of candidates) {
      const { siteNumber } = parseSiteId(candidate.siteId) as { siteNumber: number };
      scriptKeys.push(keys.site(region, siteNumber), keys.block(region, candidate.cell));
      args.push(siteNumberBytes(siteNumber), candidate.offset, candidate.revision, candidate.cell, candidate.classes.length);
      const { siteId, operatorId } = candidate;
      for (const { index, sizeClassId } of candidate.classes) {
        args.push(
          index,
          Buffer.from(toBinary(ReservationSchema, create(ReservationSchema, { siteId, operatorId, sizeClassId }))),
          Buffer.from(toBinary(EventSchema, create(EventSchema, { siteId, operatorId }))),
        );
      }
    }
    const reply = await reserveScript(redis, scriptKeys, args);
    if (reply[0] !== "held") return reply;
    const [, place, classIndex] = reply;
    const candidate = candidates[Number(place) - 1] as HoldCandidate;
    const sizeClassId = candidate.classes.find(({ index }) => index === Number(classIndex))?.sizeClassId ?? "";
    const held = { ...request.reservation, reservationId, siteId: candidate.siteId, operatorId: candidate.operatorId, sizeClassId };
    return ["held", Buffer.from(toBinary(ReservationSchema, held, { writeUnknownFields: false }))];
  }

  /** Follows a fixed plan: every region either holds, or is known to hold nothing, before the next is tried. */
  async function follow(
    request: HoldRequest,
    plan: number,
    siteIds: readonly string[],
    resolve: (siteId: string) => Promise<HoldCandidate | undefined>,
  ): Promise<HoldOutcome> {
    for (const group of groupByRegion(siteIds)) {
      const candidates = (await Promise.all(group.siteIds.map(resolve))).filter((candidate) => candidate !== undefined);
      const outcome = holdOutcome(await reserveIn(group.region, request, candidates, plan), request.requestId);
      if (outcome.tag !== "none") return outcome;
    }
    return { tag: "none" };
  }

  return {
    async take(request, candidates, resolve) {
      const { homeRegion, participantId, requestId } = request;
      const isHome = candidates.length > 0 && candidates.every(({ siteId }) => parseSiteId(siteId)?.region === homeRegion);
      for (let plan = 0; plan < maxPlans; plan++) {
        const reply =
          isHome && plan === 0
            ? await reserveIn(homeRegion, request, candidates, undefined)
            : await planScript(
                redis,
                [keys.plan(homeRegion, participantId, planId(request, plan)), keys.answer(homeRegion, participantId, requestId)],
                [request.fingerprint, candidates.map(({ siteId }) => siteId).join(" "), answerTtlMs],
              );
        const [tag, content] = reply;
        if (tag !== "planned" && tag !== "fixed") return holdOutcome(reply, requestId);
        const outcome = await follow(request, plan, (content as Buffer).toString().split(" "), resolve);
        if (outcome.tag !== "none" || tag === "fixed") return outcome;
      }
      return { tag: "none" };
    },
  };
}

/** Under what the answers of one plan are remembered. The first has the request's own name, which is also that of an answer without plan. */
function planId({ requestId }: HoldRequest, plan: number): string {
  return plan === 0 ? requestId : `${requestId}#${plan}`;
}

function holdOutcome([tag, value]: ScriptReply, requestId: string): HoldOutcome {
  switch (tag) {
    case "held":
    case "repeated":
      return { tag, reservation: fromBinary(ReservationSchema, value as Buffer) };
    case "none":
      return { tag };
    case "reused":
      throw requestIdReused(requestId);
    default:
      throw new Error(`unexpected reply ${tag}`);
  }
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
