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
import { encodeCausedEvent, encodeEvent } from "../encoding/event-bytes.ts";
import { holdClass } from "../encoding/hold-classes.ts";
import { type HoldLimits, type Sharer, sharerOf } from "../encoding/hold-limits.ts";
import { decodeReservation, decodeReservationMessage, encodeReservationMessage } from "../encoding/reservation-record.ts";
import { type HoldTerms, noTerms, type ShortIds } from "../encoding/short-ids.ts";
import { decodeWaiting, encodeWaiting, type WaitingPlace } from "../encoding/waiting-entry.ts";
import { responseIn, responseTtlMs } from "../idempotency/stored-response.ts";
import { createScript } from "../lua/create-script.ts";
import { cellOf } from "../sites/site-record.ts";
import { type SiteStore, type StoredSite, siteNumberBytes } from "../sites/site-store.ts";

/** How a reservation is queued. */
export interface Waiting {
  /** The requirements on a site. */
  query: SiteQuery;
  /** Whether the reservation takes a place whose availability is unknown. */
  takesUnknown: boolean;
  /** How long a place is held after the promotion, in ms. */
  holdMs: number;
  /** The terms in force at a site, which apply to a place there. Default: the store's first terms. */
  termsAt?: (site: Site) => Promise<HoldTerms>;
  /** When it was queued elsewhere, in µs since 1970: the rank that it keeps. Undefined: it is queued now. */
  sinceUs?: number;
  /** The limits on the participant's unconfirmed holds when a place is free for it. Default: none. */
  limits?: Readonly<HoldLimits>;
  /** The reservation without id, sites and operator. `queued_until` must be set. */
  reservation: Reservation;
  /** The event of the queuing. */
  queuedEvent: (reservation: Reservation) => Event;
  /** The event of the promotion, without site, times and revision. */
  promotedEvent: (reservationId: string) => Event;
}

/** A reservation to queue. */
export interface JoinRequest {
  participantId: string;
  requestId: string;
  fingerprint: Buffer;
  handle: string;
  waiting: Waiting;
}

/**
 * The result of queuing: `joined` the reservation is queued, or was promoted at once; `repeated` the same request was queued before; `held` the same request had
 * taken a place before; `none` none of the sites fits.
 */
export type JoinOutcome = { tag: "joined" | "repeated" | "held"; reservation: Reservation } | { tag: "none" };

/** The most queued reservations. */
export interface QueueLimits {
  /** At one site. */
  siteMax: number;
  /** Of one participant at one site. */
  shareMax: number;
  /** Of one participant in one region. */
  regionShareMax: number;
}

/** Numbers of queued reservations. */
export interface QueueUsage {
  /** Of the participant in the region. */
  ofParticipant: number;
  /** At the site. Undefined if none was named. */
  atSite?: { ofParticipant: number; ofAll: number };
}

/** The queues of sites, first come first served among those that fit. */
export interface Queues {
  /** The limits in force. */
  readonly limits: Readonly<QueueLimits>;
  /** What is used of the limits: by a participant in one network in a region, and at a site of it. */
  usage(sharer: Sharer, region: Region, siteId?: string): Promise<QueueUsage>;
  /**
   * Queues a reservation at sites of one region, at most {@link waitingPlacesMax}. Sites that do not fit are left out. So are sites with a full queue, except
   * that the first of those that fit must have room.
   *
   * @param siteIds the wanted site first
   * @throws {PetakError} QUEUE_FULL or QUEUE_SHARE_EXHAUSTED for the first site; CONFLICT if a site was changed concurrently too often.
   */
  join(request: JoinRequest, siteIds: readonly string[]): Promise<JoinOutcome>;
  /** The stored response to the request that queued a reservation. Undefined if it has expired or there is none. */
  findResponse(reservationId: string, participantId: string, requestId: string): Promise<Reservation | undefined>;
  /** The number of reservations before a reservation in the queue for the same places of its first site. Undefined if it is not queued. */
  position(reservationId: string): Promise<number | undefined>;
  /** The sites at which a reservation waits, without those whose operator has ended that. Empty: it is not queued. */
  waitsAt(reservationId: string): Promise<string[]>;
  /** The sites of a region that have a queue. */
  sites(region: Region): Promise<string[]>;
  /** Promotes queued reservations to the free places of a site. Every script that frees a place does so itself; this repairs omissions. @param nowMs in ms since 1970 */
  promote(siteId: string, nowMs: number): Promise<void>;
}

/** The most sites at which one reservation is queued. */
export const waitingPlacesMax = 8;

/** A thousand at one site would wait for many weeks: an error is more useful to the next. */
export const defaultQueueLimits: QueueLimits = { siteMax: 1000, shareMax: 200, regionShareMax: 10_000 };

/** The most attempts while sites change concurrently. */
const maxAttempts = 5;

/** When to retry a full queue, in ms. Places become free when parcels are collected, seldom within a minute. */
const fullRetryMs = 60_000;

const joinScript = createScript("join-queue");
const promoteScript = createScript("promote");

/** Stores queues in Redis. */
export function createQueues(
  redis: RedisConnection,
  keys: Keys,
  ids: ShortIds,
  sites: SiteStore,
  limits: QueueLimits = defaultQueueLimits,
): Queues {
  const responseKey = (region: Region, participantId: string, requestId: string) =>
    keys.storedResponse(region, participantId, `${requestId}#queue`);

  async function placesAt(siteIds: readonly string[], { query, termsAt }: Waiting): Promise<CheckedPlace[]> {
    const stored = await sites.findAll(siteIds);
    const places = await Promise.all(
      stored.map(async (one) => (one === undefined ? undefined : placeAt(one, query, (await termsAt?.(one.site)) ?? noTerms))),
    );
    return places.filter((place) => place !== undefined);
  }

  return {
    limits,
    async usage(sharer, region, siteId) {
      const name = sharerOf(sharer);
      const shares = keys.queueShares(region);
      if (siteId === undefined) return { ofParticipant: Number(await redis.hget(shares, name)) };
      const { siteNumber } = ids.siteIds.require(siteId);
      const [[ofParticipant, ofParticipantHere], ofAll] = await Promise.all([
        redis.hmget(shares, name, `${name} ${siteNumber}`),
        redis.zcard(keys.siteQueue(region, siteNumber)),
      ]);
      return { ofParticipant: Number(ofParticipant), atSite: { ofParticipant: Number(ofParticipantHere), ofAll } };
    },
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
          siteRevision: first.revision,
          queuedSiteIds: places.map(({ siteId }) => siteId),
        };
        const { queuedUntil, updatedAt } = reservation;
        if (queuedUntil === undefined || updatedAt === undefined)
          throw new TypeError("a queued reservation has no queued_until or no updated_at");
        const [tag, value, count] = await joinScript(
          redis,
          [
            responseKey(region, participantId, requestId),
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
            responseTtlMs,
            handle,
            timestampMs(queuedUntil),
            encodeReservationMessage(reservation, ids.siteIds, first.terms.termsNumber),
            encodeCausedEvent(waiting.queuedEvent(reservation), ids.siteIds),
            waiting.sinceUs ?? "",
            timestampMs(updatedAt),
            encodeWaiting(
              {
                ...waiting,
                sharer: sharerOf({ participantId, isTest: reservation.isTest }),
                // A later call or a deadline promotes it, so its event is not of this call's trace.
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
        if (tag === "joined" || tag === "repeated") {
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
    async findResponse(reservationId, participantId, requestId) {
      const { region, handle } = parseReservationId(reservationId) as { region: Region; handle: string };
      const record = await redis.getBuffer(responseKey(region, participantId, requestId));
      const message = record === null ? undefined : responseIn(record);
      return message === undefined ? undefined : await decodeReservationMessage(region, handle, message, ids);
    },
    async position(reservationId) {
      const id = parseReservationId(reservationId);
      const entry = id && (await redis.hgetBuffer(keys.waiting(id.region), id.handle));
      if (entry === null || entry === undefined) return undefined;
      const { region } = id as { region: Region };
      const { rank, places } = decodeWaiting(entry);
      const place = places.find(({ isCancelled }) => !isCancelled);
      if (place === undefined) return undefined;
      const { siteNumber, classIndexes } = place;
      const before = await Promise.all(
        classIndexes.map((index) => redis.zrangebyscore(keys.classQueue(region, siteNumber, index), "-inf", `(${rank}`)),
      );
      return new Set(before.flat()).size;
    },
    async waitsAt(reservationId) {
      const id = parseReservationId(reservationId);
      const entry = id && (await redis.hgetBuffer(keys.waiting(id.region), id.handle));
      if (id === undefined || entry === null || entry === undefined) return [];
      const { places } = decodeWaiting(entry);
      return places.filter(({ isCancelled }) => !isCancelled).map(({ siteNumber }) => ids.siteIds.format(id.region, siteNumber));
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

type CheckedPlace = WaitingPlace & { cell: string };

/** A site as a place to be queued at. Undefined if it does not fit. */
function placeAt(stored: StoredSite, { knownAtMs: _knownAtMs, ...query }: SiteQuery, terms: HoldTerms): CheckedPlace | undefined {
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
