import { timestampMs } from "@bufbuild/protobuf/wkt";
import { checkSite, type SiteQuery } from "@petak/allocator";
import { overflowFallbackMetadata } from "@petak/lifecycle";
import {
  type Event,
  formatReservationId,
  PetakError,
  parseReservationId,
  parseSiteId,
  type Region,
  type Reservation,
  type Site,
} from "@petak/protocol";
import type { Keys, RedisConnection } from "@petak/redis";
import { createScript } from "../create-script.ts";
import { encodeEvent } from "../events/event-bytes.ts";
import { answerIn, answerTtlMs } from "../reservations/answer.ts";
import { type HoldTerms, holdClass, noTerms } from "../reservations/candidates.ts";
import {
  decodeReservation,
  decodeReservationMessage,
  encodeReservationMessage,
  type ShortIds,
} from "../reservations/reservation-record.ts";
import { cellOf } from "../sites/site-record.ts";
import { type SiteStore, type StoredSite, siteNumberBytes } from "../sites/site-store.ts";
import { decodeWaiting, encodeWaiting, type WaitingPlace } from "./waiting-entry.ts";

/** How a reservation waits. */
export interface Waiting {
  /** What is asked of a site. */
  query: SiteQuery;
  /** Whether a place of which it is not known whether it is free will do. */
  takesUnknown: boolean;
  /** For how long a place is held when one comes free, in ms. */
  holdMs: number;
  /** The terms in force at a site: what it waits for it gets on these. Left out: the store's first. */
  termsAt?: (site: Site) => Promise<HoldTerms>;
  /** When it came to wait elsewhere, in µs since 1970: its rank. Undefined: it comes now. */
  sinceUs?: number;
  /** The reservation but for id, sites and operator, with its `queued_until`. */
  reservation: Reservation;
  /** The event of its coming, and that of its promotion but for site, times and revision. */
  queuedEvent: (reservation: Reservation) => Event;
  promotedEvent: (reservationId: string) => Event;
}

/** Who waits, and how. */
export interface JoinRequest {
  participantId: string;
  requestId: string;
  fingerprint: Buffer;
  handle: string;
  waiting: Waiting;
}

/** What became of one that came to wait: it waits, or a site had a place for it after all; or it had taken a place before. */
export type JoinOutcome = { tag: "joined" | "answered" | "held"; reservation: Reservation } | { tag: "none" };

/** How many may wait. */
export interface QueueLimits {
  /** At one site. */
  siteMax: number;
  /** Of one participant, at one site and in one region. */
  shareMax: number;
  regionShareMax: number;
}

/** Who waits for places, first come first served among those that fit. */
export interface Queues {
  /**
   * Lets a reservation wait at sites of one region, the wanted one first. Sites that do not do, or at which as many wait as may, are left out; where the
   * first is left out for that, it is refused. `none` where no site is left.
   *
   * @throws {PetakError} QUEUE_FULL; QUEUE_SHARE_EXHAUSTED; CONFLICT where a site kept changing.
   */
  join(request: JoinRequest, siteIds: readonly string[]): Promise<JoinOutcome>;
  /** What one that came to wait was answered; undefined where that is not remembered any more. */
  answered(reservationId: string, participantId: string, requestId: string): Promise<Reservation | undefined>;
  /** How many that wait for the same places of its first site are before a reservation; undefined where it does not wait. */
  position(reservationId: string): Promise<number | undefined>;
  /** The sites of a region at which somebody waits. */
  sites(region: Region): Promise<string[]>;
  /** Gives the free places of a site to those that wait for them. Whatever frees a place does so itself: this repairs what did not. */
  promote(siteId: string, nowMs: number): Promise<void>;
}

/** Sites at which one reservation may wait. */
export const waitingPlacesMax = 8;

/** A queue of a thousand at one site is many weeks' worth: whoever comes then is better told. */
export const defaultQueueLimits: QueueLimits = { siteMax: 1000, shareMax: 200, regionShareMax: 10_000 };

/** How often it is judged anew where a site has changed before it could be written. */
const maxAttempts = 5;

/** Places come free when parcels are collected: asking again within the minute is seldom of use. */
const fullRetryMs = 60_000;

const joinScript = createScript("join-queue");
const promoteScript = createScript("promote");

/** Keeps queues in Redis. */
export function createQueues(
  redis: RedisConnection,
  keys: Keys,
  ids: ShortIds,
  sites: SiteStore,
  limits: QueueLimits = defaultQueueLimits,
): Queues {
  const answerKey = (region: Region, participantId: string, requestId: string) =>
    keys.storedResponse(region, participantId, `${requestId}#queue`);

  async function placesAt(siteIds: readonly string[], { query, termsAt }: Waiting): Promise<JudgedPlace[]> {
    const stored = await sites.findAll(siteIds);
    const places = await Promise.all(
      stored.map(async (one) => (one === undefined ? undefined : judge(one, query, (await termsAt?.(one.site)) ?? noTerms))),
    );
    return places.filter((place) => place !== undefined);
  }

  return {
    async join(request, siteIds) {
      const { participantId, requestId, fingerprint, handle, waiting } = request;
      let wanted = siteIds.slice(0, waitingPlacesMax);
      for (let attempt = 0; attempt < maxAttempts + waitingPlacesMax; attempt++) {
        const places = await placesAt(wanted, waiting);
        const [first] = places;
        if (first === undefined) return { tag: "none" };
        const { region } = first;
        const reservationId = formatReservationId(region, handle);
        const reservation: Reservation = {
          ...waiting.reservation,
          reservationId,
          siteId: first.siteId,
          operatorId: first.operatorId,
          termsId: first.terms.termsId,
          queuedSiteIds: places.map(({ siteId }) => siteId),
        };
        const { queuedUntil, updatedAt } = reservation;
        if (queuedUntil === undefined || updatedAt === undefined) throw new TypeError("a reservation waits without a limit");
        const [tag, value, count] = await joinScript(
          redis,
          [
            answerKey(region, participantId, requestId),
            keys.reservation(region, handle),
            keys.deadlines(region),
            keys.events(region),
            keys.waiting(region),
            ...places.flatMap(({ siteNumber, cell }) => [
              keys.block(region, cell),
              keys.siteCounts(region, cell),
              keys.siteCompartments(region, siteNumber),
              keys.siteAllowed(region, siteNumber),
              keys.siteAllowedVersion(region, siteNumber),
            ]),
          ],
          [
            fingerprint,
            answerTtlMs,
            handle,
            timestampMs(queuedUntil),
            encodeReservationMessage(reservation, ids.siteIds, first.terms.termsNumber),
            encodeEvent(waiting.queuedEvent(reservation), ids.siteIds),
            waiting.sinceUs ?? "",
            timestampMs(updatedAt),
            encodeWaiting(
              {
                ...waiting,
                sharer: sharerOf(participantId, reservation),
                event: encodeEvent(waiting.promotedEvent(reservationId), ids.siteIds),
                places,
              },
              ids.siteIds,
            ),
            Buffer.concat(places.map(({ revision }) => siteNumberBytes(revision))),
            limits.siteMax,
            limits.shareMax,
            limits.regionShareMax,
            keys.reservationPrefix(region),
          ],
        );
        const message = value as Buffer;
        if (tag === "joined" || tag === "answered") {
          return { tag, reservation: await decodeReservationMessage(region, handle, message, ids) };
        }
        if (tag === "held") return { tag, reservation: await decodeReservation(region, handle, message, ids) };
        if (tag === "stale") continue;
        const full = places[Number(value) - 1];
        const isOther = full !== undefined && full !== first;
        if (!isOther) throw tag === "site_full" ? queueFull(reservation, Number(count)) : shareExhausted(reservation, full, Number(count));
        wanted = wanted.filter((siteId) => siteId !== full.siteId);
      }
      throw new PetakError("CONFLICT", `site ${siteIds[0]} was changed concurrently too often; send the same request again`, {
        metadata: { site_id: siteIds[0] ?? "" },
      });
    },
    async answered(reservationId, participantId, requestId) {
      const { region, handle } = parseReservationId(reservationId) as { region: Region; handle: string };
      const record = await redis.getBuffer(answerKey(region, participantId, requestId));
      const message = record === null ? undefined : answerIn(record);
      return message === undefined ? undefined : await decodeReservationMessage(region, handle, message, ids);
    },
    async position(reservationId) {
      const id = parseReservationId(reservationId);
      const entry = id && (await redis.hgetBuffer(keys.waiting(id.region), id.handle));
      if (entry === null || entry === undefined) return undefined;
      const { region } = id as { region: Region };
      const { rank, places } = decodeWaiting(entry);
      const [{ siteNumber, classIndexes }] = places as [(typeof places)[number]];
      const before = await Promise.all(
        classIndexes.map((index) => redis.zrangebyscore(keys.classQueue(region, siteNumber, index), "-inf", `(${rank}`)),
      );
      return new Set(before.flat()).size;
    },
    async sites(region) {
      const numbers = await redis.smembers(keys.waitingSites(region));
      return numbers.map((number) => ids.siteIds.format(region, Number(number)));
    },
    async promote(siteId, nowMs) {
      const { region, siteNumber } = ids.siteIds.require(siteId);
      const stored = await sites.find(siteId);
      if (stored === undefined) return;
      await promoteScript(
        redis,
        [
          keys.waiting(region),
          keys.deadlines(region),
          keys.events(region),
          keys.siteCounts(region, cellOf(stored)),
          keys.block(region, cellOf(stored)),
          keys.siteCompartments(region, siteNumber),
          keys.siteAllowed(region, siteNumber),
          keys.siteAllowedVersion(region, siteNumber),
        ],
        [siteNumberBytes(siteNumber), keys.reservationPrefix(region), nowMs],
      );
    },
  };
}

/** Whose share of the queues it takes: a participant has one in each of the two networks. */
function sharerOf(participantId: string, { isTest }: Reservation): string {
  return isTest ? `${participantId} test` : participantId;
}

type JudgedPlace = WaitingPlace & { cell: string; revision: number };

/** A site as a place to wait at; undefined where it would not do. */
function judge(stored: StoredSite, { knownAtMs: _knownAtMs, ...query }: SiteQuery, terms: HoldTerms): JudgedPlace | undefined {
  const { site, isOffered } = stored;
  const { siteId, operatorId, revision } = site;
  const { reason, classes } = checkSite(query, site);
  const id = parseSiteId(siteId);
  if (!isOffered || reason !== undefined || id === undefined || site.isTest !== query.isTest) return undefined;
  const { isHard = false } = query;
  const fitting = classes.map((index) => holdClass(site, index, isHard));
  return { siteId, ...id, operatorId, terms, revision, cell: cellOf(stored), classes: fitting };
}

function queueFull(reservation: Reservation, waiting: number): PetakError {
  const { siteId } = reservation;
  return new PetakError(
    "QUEUE_FULL",
    `${waiting} reservations are queued at site ${siteId}, its limit; name another site or try again later`,
    {
      metadata: { site_id: siteId, waiting: String(waiting), ...overflowFallbackMetadata(reservation) },
      retryAfterMs: fullRetryMs,
    },
  );
}

function shareExhausted(reservation: Reservation, place: WaitingPlace | undefined, waiting: number): PetakError {
  const where = place === undefined ? "in the region" : `at site ${place.siteId}`;
  return new PetakError(
    "QUEUE_SHARE_EXHAUSTED",
    `${waiting} reservations of this participant are queued ${where}, the limit; cancel some or try again later`,
    {
      metadata: { ...(place && { site_id: place.siteId }), waiting: String(waiting), ...overflowFallbackMetadata(reservation) },
      retryAfterMs: fullRetryMs,
    },
  );
}
