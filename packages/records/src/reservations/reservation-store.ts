import { timestampMs } from "@bufbuild/protobuf/wkt";
import { isOverdue, leavesQueue, namedCompartment, type PinEntry, type Transition } from "@petak/lifecycle";
import { type Event, formatReservationId, PetakError, parseReservationId, type Region, type Reservation } from "@petak/protocol";
import type { Keys, RedisConnection } from "@petak/redis";
import { createScript } from "../create-script.ts";
import { encodeEvent } from "../events/event-bytes.ts";
import { siteNotFound } from "../sites/site-not-found.ts";
import { cellOf, type FiledSite } from "../sites/site-record.ts";
import type { SiteStore } from "../sites/site-store.ts";
import type { Answer } from "./answer.ts";
import { countChangeOf } from "./counted-class.ts";
import { createMoveBatches } from "./move-batches.ts";
import { encodePinEnd, encodePinEntry } from "./pin-entry.ts";
import { decodeReservation, encodeReservation, reservationMaxBytes, type ShortIds } from "./reservation-record.ts";

/** A report of a site's device that is recorded together with what it changes. */
export interface DeviceReport {
  siteId: string;
  /** The agent's key: each device counts by itself. */
  keyId: string;
  /** Its number in the device's sequence, from 1. */
  sequence: number;
}

/** A transition with what is written together with it. */
export interface StoredTransition extends Transition {
  /** Its site, where the caller has just read it. Default: read when the transition is applied. */
  site?: FiledSite;
  /** The answer to remember for the request that caused it. */
  answer?: Answer;
  /** The device's report that caused it. */
  report?: DeviceReport;
}

/** What became of a transition. */
export type TransitionOutcome =
  | { tag: "done" }
  | { tag: "repeated"; answer: Buffer }
  | { tag: "stale" }
  | { tag: "pin_taken" }
  | { tag: "seen"; watermark: number }
  | { tag: "gap"; watermark: number };

/** Reservations and what is recorded about them. */
export interface ReservationStore {
  /** One reservation, or undefined. */
  find(reservationId: string): Promise<Reservation | undefined>;
  /**
   * Writes a transition with everything that goes with it, all or nothing. `stale`: the reservation or its site is not as it was read any more.
   *
   * @throws {PetakError} REQUEST_ID_REUSED; RESERVATION_NOT_FOUND; SITE_NOT_FOUND.
   */
  apply(transition: StoredTransition): Promise<TransitionOutcome>;
  /** Records a device's report that is about no reservation here. */
  record(region: Region, report: DeviceReport, event: Event): Promise<TransitionOutcome>;
  /** The number of the last report recorded from a device. */
  watermark(siteId: string, keyId: string): Promise<number>;
  /** Reservations of a region whose deadline is at or before a time, at most `limit`, the earliest first. @param passedOver how many of the earliest to leave out */
  due(region: Region, nowMs: number, limit: number, passedOver?: number): Promise<string[]>;
  /** The ids of a region's reservations whose parcel is overdue, in their order, at most `limit`, after one; after "": from the first. */
  overdue(region: Region, afterId: string, limit: number): Promise<string[]>;
  /** The reservations that a site's agent should know, with their PINs. */
  allowedAt(siteId: string): Promise<{ reservation: Reservation; pin: Buffer | undefined }[]>;
}

const recordScript = createScript("record-report");

/** Keeps reservations in Redis. */
export function createReservationStore(
  redis: RedisConnection,
  keys: Keys,
  ids: ShortIds,
  sites: Pick<SiteStore, "filed">,
): ReservationStore {
  const moves = createMoveBatches(redis, keys);

  /** A reservation's record as far as its message goes, empty where there is none: its chain may be long. */
  function readRecord(region: Region, handle: string): Promise<Buffer> {
    return redis.getrangeBuffer(keys.reservation(region, handle), 0, reservationMaxBytes - 1);
  }

  async function find(reservationId: string): Promise<Reservation | undefined> {
    const id = parseReservationId(reservationId);
    if (id === undefined) return undefined;
    const record = await readRecord(id.region, id.handle);
    return record.length === 0 ? undefined : await decodeReservation(id.region, id.handle, record, ids);
  }

  return {
    find,
    async apply(transition) {
      const { before, after, answer, report, movedAtMs } = transition;
      const site = transition.site ?? (await sites.filed(before.siteId));
      if (site === undefined) throw siteNotFound(before.siteId);
      const { classIndex, heldChange, occupiedChange } = countChangeOf(site, transition);
      if (occupiedChange !== 0 && movedAtMs === undefined) throw new TypeError("a parcel moved, and nobody says when");
      const { region, handle } = parseReservationId(before.reservationId) as { region: Region; handle: string };
      const { siteNumber } = ids.siteIds.require(before.siteId);
      const nameBefore = namedCompartment(before);
      const nameAfter = namedCompartment(after ?? before);
      const { tag, value } = await moves(region, {
        handle,
        revision: before.revision,
        record: after && (await encodeReservation(after, ids)),
        siteNumber,
        cell: cellOf(site),
        classIndex,
        heldChange,
        occupiedChange,
        movedAtMs,
        deadlineMs: transition.deadlineMs,
        isAllowed: transition.isAllowed,
        pin: transition.pin && encodePin(transition.pin, before.bundleId),
        report,
        nameBefore: nameBefore === nameAfter ? "" : nameBefore,
        nameAfter: nameBefore === nameAfter ? "" : nameAfter,
        isOverdue: isOverdue(before) === isOverdue(after ?? before) ? undefined : !isOverdue(before),
        waitsNoMore: leavesQueue(before, after),
        nowMs: after?.updatedAt && timestampMs(after.updatedAt),
        events: transition.events.map((event) => encodeEvent(event, ids.siteIds)),
        answer,
      });
      if (tag === "gone") throw notFound(before.reservationId);
      if (tag === "reused") throw requestIdReused(answer?.requestId ?? "");
      if (tag === "repeated") return { tag, answer: value as Buffer };
      if (tag === "seen" || tag === "gap") return { tag, watermark: Number(value) };
      return { tag } as TransitionOutcome;
    },
    async record(region, report, event) {
      const { siteNumber } = ids.siteIds.require(report.siteId);
      const [tag, value] = await recordScript(
        redis,
        [keys.agentWatermark(region, siteNumber, report.keyId), keys.events(region)],
        [report.sequence, encodeEvent(event, ids.siteIds)],
      );
      if (tag === "seen" || tag === "gap") return { tag, watermark: Number(value) };
      return { tag } as TransitionOutcome;
    },
    async watermark(siteId, keyId) {
      const { region, siteNumber } = ids.siteIds.require(siteId);
      return Number((await redis.get(keys.agentWatermark(region, siteNumber, keyId))) ?? 0);
    },
    async due(region, nowMs, limit, passedOver = 0) {
      const handles = await redis.zrangebyscore(keys.deadlines(region), "-inf", nowMs, "LIMIT", passedOver, limit);
      return handles.map((handle) => formatReservationId(region, handle));
    },
    async overdue(region, afterId, limit) {
      const after = parseReservationId(afterId)?.handle;
      const handles = await redis.zrangebylex(keys.overdue(region), after === undefined ? "-" : `(${after}`, "+", "LIMIT", 0, limit);
      return handles.map((handle) => formatReservationId(region, handle));
    },
    async allowedAt(siteId) {
      const { region, siteNumber } = ids.siteIds.require(siteId);
      const handles = await redis.smembers(keys.siteAllowed(region, siteNumber));
      if (handles.length === 0) return [];
      const [records, pins] = await Promise.all([
        Promise.all(handles.map((handle) => readRecord(region, handle))),
        redis.hmgetBuffer(keys.sitePins(region, siteNumber), ...handles),
      ]);
      const found = await Promise.all(
        handles.map(async (handle, index) => {
          const record = records[index] as Buffer;
          if (record.length === 0) return [];
          return [{ reservation: await decodeReservation(region, handle, record, ids), pin: pins[index] ?? undefined }];
        }),
      );
      return found.flat();
    },
  };
}

function encodePin(pin: PinEntry | { expiresAtS: number }, bundleId: string): Buffer {
  return "hash" in pin ? encodePinEntry(pin) : encodePinEnd(pin.expiresAtS, bundleId);
}

/** The error for a reservation that does not exist, or that the caller may not know of: the two look the same. */
export function notFound(reservationId: string): PetakError {
  return new PetakError(
    "RESERVATION_NOT_FOUND",
    `reservation ${JSON.stringify(reservationId)} does not exist, or the caller is not a party to it`,
    {
      metadata: { reservation_id: reservationId },
    },
  );
}

/** The error for a request id that comes again with another body. */
export function requestIdReused(requestId: string): PetakError {
  return new PetakError(
    "REQUEST_ID_REUSED",
    `request_id ${requestId} was used with a different body; generate a new UUID for a new request`,
    {
      metadata: { request_id: requestId },
    },
  );
}
