import { timestampMs } from "@bufbuild/protobuf/wkt";
import { isOverdue, leavesQueue, namedCompartment, type PinEntry, type Transition } from "@petak/lifecycle";
import {
  type Event,
  formatReservationId,
  PetakError,
  parseReservationId,
  type Region,
  type Reservation,
  ReservationState,
} from "@petak/protocol";
import type { Keys, RedisConnection } from "@petak/redis";
import { encodeCausedEvent } from "../encoding/event-bytes.ts";
import { sharerOf } from "../encoding/hold-limits.ts";
import { decodePinEntry, encodePinEnd, encodePinEntry } from "../encoding/pin-entry.ts";
import { decodeReservation, encodeReservation, reservationMaxBytes } from "../encoding/reservation-record.ts";
import type { ShortIds } from "../encoding/short-ids.ts";
import { requestIdReused } from "../idempotency/request-ids.ts";
import type { StoredResponse } from "../idempotency/stored-response.ts";
import { createScript } from "../lua/create-script.ts";
import { defaultQuotas, type Quotas, quotaExhausted, uncountedEvents } from "../quotas/quotas.ts";
import { type DeviceReport, decodeWatermark, obstacleOf, type ReportObstacle, reportLink, type Watermark } from "../sites/device-report.ts";
import { cellOf, endedSite, type FiledSite } from "../sites/site-record.ts";
import type { SiteStore } from "../sites/site-store.ts";
import { createLabelIndex } from "./label-index.ts";
import { createTransitionBatches } from "./transition-batches.ts";

/** A transition and what is written together with it. */
export interface StoredTransition extends Transition {
  /** The reservation's site, if the caller has just read it. Default: it is read when the transition is applied. */
  site?: FiledSite;
  /** The response to the request that caused it. */
  response?: StoredResponse;
  /** The device's report that caused it. */
  report?: DeviceReport;
  /** Whether it may be repeated as often as somebody likes, so that it is refused once the reservation has very many events. Default false. */
  isRepeatable?: boolean;
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
  | ReportObstacle;

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
   * @throws {PetakError} REQUEST_ID_REUSED; RESERVATION_NOT_FOUND; QUOTA_EXHAUSTED for a repeatable one.
   */
  apply(transition: StoredTransition): Promise<TransitionOutcome>;
  /** Records a device's report that is about no reservation of the region. */
  record(region: Region, report: DeviceReport, event: Event): Promise<TransitionOutcome>;
  /** How far the reports of a device are recorded. */
  watermark(siteId: string, keyId: string): Promise<Watermark>;
  /** At most `limit` ids of a region's reservations whose deadline is at or before a time in ms since 1970, earliest first, after skipping `skipped`. */
  due(region: Region, nowMs: number, limit: number, skipped?: number): Promise<string[]>;
  /** At most `limit` ids of a region's reservations with an overdue parcel, in ascending order after an id. "": from the first. */
  overdue(region: Region, afterId: string, limit: number): Promise<string[]>;
  /** The reservations that a site's agent may know, with their PINs. @param among only these. Default: all */
  allowedAt(siteId: string, among?: readonly string[]): Promise<AllowedReservation[]>;
  /** Those of some reservations of a site that exist, with their PINs, whether or not the site's agent has been told of them. */
  allowed(siteId: string, reservationIds: readonly string[]): Promise<AllowedReservation[]>;
}

const recordScript = createScript("record-report");

/** Stores reservations in Redis. */
export function createReservationStore(
  redis: RedisConnection,
  keys: Keys,
  ids: ShortIds,
  sites: Pick<SiteStore, "filed">,
  quotas: Pick<Quotas, "reservationEventsMax"> = defaultQuotas,
): ReservationStore {
  const transitions = createTransitionBatches(redis, keys);
  const labels = createLabelIndex(redis, keys);

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

  async function allowedOf(siteId: string, handles: readonly string[]): Promise<AllowedReservation[]> {
    if (handles.length === 0) return [];
    const { region, siteNumber } = ids.siteIds.require(siteId);
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
  }

  /** The handles of the reservations that are in a set. */
  async function membersAmong(set: string, reservationIds: readonly string[]): Promise<string[]> {
    if (reservationIds.length === 0) return [];
    const handles = reservationIds.map((reservationId) => parseReservationId(reservationId)?.handle ?? "");
    const isMember = await redis.smismember(set, ...handles);
    return handles.filter((_, index) => isMember[index] === 1);
  }

  return {
    find,
    async apply(transition) {
      const { before, after, response, report, movedAtMs } = transition;
      const site = transition.site ?? (await sites.filed(before.siteId)) ?? endedSite(before.siteId);
      const { classIndex, heldChange, occupiedChange } = countChangeOf(site, transition);
      if (occupiedChange !== 0 && movedAtMs === undefined)
        throw new TypeError("a transition that changes occupied places has no movedAtMs");
      const { region, handle } = parseReservationId(before.reservationId) as { region: Region; handle: string };
      const { siteNumber } = ids.siteIds.require(before.siteId);
      const compartmentBefore = namedCompartment(before);
      const compartmentAfter = namedCompartment(after ?? before);
      const isSameCompartment = compartmentBefore === compartmentAfter;
      if (before.state === ReservationState.HELD && after?.state === ReservationState.CONFIRMED && after.updatedAt !== undefined) {
        await labels.add(after, timestampMs(after.updatedAt));
      }
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
        holder: before.state === ReservationState.HELD ? sharerOf(before) : "",
        endsHold: after !== undefined && after.state !== ReservationState.HELD,
        nowMs: after?.updatedAt && timestampMs(after.updatedAt),
        eventsMax: transition.isRepeatable === true ? quotas.reservationEventsMax + uncountedEvents(before) : 0,
        events: transition.events.map((event) => encodeCausedEvent(event, ids.siteIds)),
        response,
      });
      if (tag === "many_events") {
        const limit = quotas.reservationEventsMax;
        throw quotaExhausted({
          quota: "reservationEventsMax",
          limit,
          used: Number(value) - uncountedEvents(before),
          subject: before.reservationId,
        });
      }
      if (tag === "gone") throw reservationNotFound(before.reservationId);
      if (tag === "reused") throw requestIdReused(response?.requestId ?? "");
      if (tag === "repeated") return { tag, response: value as Buffer };
      return obstacleOf(tag, value) ?? ({ tag } as TransitionOutcome);
    },
    async record(region, report, event) {
      const { siteNumber } = ids.siteIds.require(report.siteId);
      const [tag, value] = await recordScript(
        redis,
        [keys.agentWatermark(region, siteNumber, report.keyId), keys.events(region)],
        [report.sequence, encodeCausedEvent(event, ids.siteIds), reportLink(report)],
      );
      return obstacleOf(tag, value) ?? ({ tag } as TransitionOutcome);
    },
    async watermark(siteId, keyId) {
      const { region, siteNumber } = ids.siteIds.require(siteId);
      return decodeWatermark(await redis.getBuffer(keys.agentWatermark(region, siteNumber, keyId)));
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
    async allowedAt(siteId, among) {
      const { region, siteNumber } = ids.siteIds.require(siteId);
      const allowed = keys.siteAllowed(region, siteNumber);
      return await allowedOf(siteId, await (among === undefined ? redis.smembers(allowed) : membersAmong(allowed, among)));
    },
    allowed: (siteId, reservationIds) =>
      allowedOf(
        siteId,
        reservationIds.flatMap((reservationId) => parseReservationId(reservationId)?.handle ?? []),
      ),
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
