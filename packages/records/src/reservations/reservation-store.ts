import { timestampMs } from "@bufbuild/protobuf/wkt";
import { isOverdue, leavesQueue, namedCompartment, type PinEntry, type Transition } from "@petak/lifecycle";
import { type Event, formatReservationId, PetakError, parseReservationId, type Region, type Reservation } from "@petak/protocol";
import type { Keys, RedisConnection } from "@petak/redis";
import { encodeEvent } from "../encoding/event-bytes.ts";
import { decodePinEntry, encodePinEnd, encodePinEntry } from "../encoding/pin-entry.ts";
import { decodeReservation, encodeReservation, reservationMaxBytes } from "../encoding/reservation-record.ts";
import type { ShortIds } from "../encoding/short-ids.ts";
import { requestIdReused } from "../idempotency/request-ids.ts";
import type { StoredResponse } from "../idempotency/stored-response.ts";
import { createScript } from "../lua/create-script.ts";
import { siteNotFound } from "../sites/site-not-found.ts";
import { cellOf, type FiledSite } from "../sites/site-record.ts";
import type { SiteStore } from "../sites/site-store.ts";
import { createTransitionBatches } from "./transition-batches.ts";

/** A device's report that is recorded together with the transition that it causes. */
export interface DeviceReport {
  siteId: string;
  /** The agent's key. Each key has its own sequence. */
  keyId: string;
  /** Its sequence number, from 1. */
  sequence: number;
}

/** A transition and what is written together with it. */
export interface StoredTransition extends Transition {
  /** The reservation's site, if the caller has just read it. Default: it is read when the transition is applied. */
  site?: FiledSite;
  /** The response to the request that caused it. */
  response?: StoredResponse;
  /** The device's report that caused it. */
  report?: DeviceReport;
}

/** The result of a transition. Anything but `done` has changed nothing. */
export type TransitionOutcome =
  | { tag: "done" }
  /** The same request was handled before, with this response. */
  | { tag: "repeated"; response: Buffer }
  /** The reservation or its site has changed since it was read. */
  | { tag: "stale" }
  /** Another reservation or bundle at the site has the same PIN. */
  | { tag: "pin_taken" }
  /** The device's report was recorded before. */
  | { tag: "seen"; watermark: number }
  /** Reports of the device before this one are missing. */
  | { tag: "gap"; watermark: number };

/** A reservation that a site's agent may know. */
export interface AllowedReservation {
  reservation: Reservation;
  pin: PinEntry | undefined;
}

/** The reservations of the store. */
export interface ReservationStore {
  /** One reservation, or undefined. */
  find(reservationId: string): Promise<Reservation | undefined>;
  /**
   * Applies a transition: reservation, site counts, deadline, events, PIN, watermark and response are written atomically.
   *
   * @throws {PetakError} REQUEST_ID_REUSED; RESERVATION_NOT_FOUND; SITE_NOT_FOUND.
   */
  apply(transition: StoredTransition): Promise<TransitionOutcome>;
  /** Records a device's report that is about no reservation of the region. */
  record(region: Region, report: DeviceReport, event: Event): Promise<TransitionOutcome>;
  /** The watermark of a device: the sequence number of its last recorded report. 0: none. */
  watermark(siteId: string, keyId: string): Promise<number>;
  /** At most `limit` ids of a region's reservations whose deadline is at or before a time in ms since 1970, earliest first, after skipping `skipped`. */
  due(region: Region, nowMs: number, limit: number, skipped?: number): Promise<string[]>;
  /** At most `limit` ids of a region's reservations with an overdue parcel, in ascending order after an id. "": from the first. */
  overdue(region: Region, afterId: string, limit: number): Promise<string[]>;
  /** The reservations that a site's agent may know, with their PINs. */
  allowedAt(siteId: string): Promise<AllowedReservation[]>;
}

const recordScript = createScript("record-report");

/** Stores reservations in Redis. */
export function createReservationStore(
  redis: RedisConnection,
  keys: Keys,
  ids: ShortIds,
  sites: Pick<SiteStore, "filed">,
): ReservationStore {
  const transitions = createTransitionBatches(redis, keys);

  /** Reads head and message of a reservation's record, without its chain, which may be long. Empty if the reservation does not exist. */
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
      const { before, after, response, report, movedAtMs } = transition;
      const site = transition.site ?? (await sites.filed(before.siteId));
      if (site === undefined) throw siteNotFound(before.siteId);
      const { classIndex, heldChange, occupiedChange } = countChangeOf(site, transition);
      if (occupiedChange !== 0 && movedAtMs === undefined)
        throw new TypeError("a transition that changes occupied places has no movedAtMs");
      const { region, handle } = parseReservationId(before.reservationId) as { region: Region; handle: string };
      const { siteNumber } = ids.siteIds.require(before.siteId);
      const compartmentBefore = namedCompartment(before);
      const compartmentAfter = namedCompartment(after ?? before);
      const isSameCompartment = compartmentBefore === compartmentAfter;
      const { tag, value } = await transitions(region, {
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
        freedCompartment: isSameCompartment ? "" : compartmentBefore,
        takenCompartment: isSameCompartment ? "" : compartmentAfter,
        isOverdue: isOverdue(before) === isOverdue(after ?? before) ? undefined : !isOverdue(before),
        leavesQueue: leavesQueue(before, after),
        nowMs: after?.updatedAt && timestampMs(after.updatedAt),
        events: transition.events.map((event) => encodeEvent(event, ids.siteIds)),
        response,
      });
      if (tag === "gone") throw reservationNotFound(before.reservationId);
      if (tag === "reused") throw requestIdReused(response?.requestId ?? "");
      if (tag === "repeated") return { tag, response: value as Buffer };
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
    async due(region, nowMs, limit, skipped = 0) {
      const handles = await redis.zrangebyscore(keys.deadlines(region), "-inf", nowMs, "LIMIT", skipped, limit);
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
          const pin = pins[index];
          return [{ reservation: await decodeReservation(region, handle, record, ids), pin: pin ? decodePinEntry(pin) : undefined }];
        }),
      );
      return found.flat();
    },
  };
}

function encodePin(pin: PinEntry | { expiresAtS: number }, bundleId: string): Buffer {
  return "hash" in pin ? encodePinEntry(pin) : encodePinEnd(pin.expiresAtS, bundleId);
}

/** A transition's changes of the site counts. */
interface CountChange {
  /** The index of the size class among the site's. */
  classIndex: number;
  heldChange: number;
  occupiedChange: number;
}

/** The changes of the site counts. None if the operator has removed the size class: that is possible once none of its places is held or occupied. */
function countChangeOf({ site }: FiledSite, { before, heldChange, occupiedChange }: Transition): CountChange {
  const classIndex = site.sizeClasses.findIndex(({ sizeClassId }) => sizeClassId === before.sizeClassId);
  return classIndex < 0 ? { classIndex: 0, heldChange: 0, occupiedChange: 0 } : { classIndex, heldChange, occupiedChange };
}

/** The error for a reservation that does not exist or that the caller may not see. The two cases look the same. */
export function reservationNotFound(reservationId: string): PetakError {
  return new PetakError(
    "RESERVATION_NOT_FOUND",
    `reservation ${JSON.stringify(reservationId)} does not exist, or the caller is not a party to it`,
    {
      metadata: { reservation_id: reservationId },
    },
  );
}
