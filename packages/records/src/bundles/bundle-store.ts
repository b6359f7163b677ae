import { fromBinary, toBinary } from "@bufbuild/protobuf";
import type { BundleTransition, PinEntry } from "@petak/lifecycle";
import { type Bundle, BundleSchema, parseBundleId, parseReservationId, type Region, type Reservation } from "@petak/protocol";
import type { Keys, RedisConnection } from "@petak/redis";
import { encodeCausedEvent } from "../encoding/event-bytes.ts";
import { bundlePinMaxLifetimeS, decodePinEntry, encodePinEntry } from "../encoding/pin-entry.ts";
import { encodeReservation } from "../encoding/reservation-record.ts";
import type { ShortIds } from "../encoding/short-ids.ts";
import { requestIdReused } from "../idempotency/request-ids.ts";
import { responseArguments, responseTtlMs, type StoredResponse } from "../idempotency/stored-response.ts";
import { createScript } from "../lua/create-script.ts";
import { defaultQuotas, type Quotas, quotaExhausted, uncountedEvents } from "../quotas/quotas.ts";

/** A change of a bundle and what is written together with it. */
export interface BundleChange extends BundleTransition {
  bundleId: string;
  siteId: string;
  /** The gateway's time, in ms since 1970. */
  nowMs: number;
  /** The response to the request that caused it. */
  response: StoredResponse;
  /** Whether it may be repeated as often as somebody likes, so that it is refused once a reservation has very many events. Default false. */
  isRepeatable?: boolean;
}

/**
 * The result of a change: `repeated` the same request was handled before; `stale` the bundle or a reservation has changed since it was read; `pin_taken` another
 * reservation or bundle at the site has the same PIN. Anything but `done` has changed nothing.
 */
export type BundleOutcome = { tag: "done" } | { tag: "repeated"; response: Buffer } | { tag: "stale" } | { tag: "pin_taken" };

/** Bundles of reservations. */
export interface BundleStore {
  /** One bundle, or undefined. */
  find(bundleId: string): Promise<Bundle | undefined>;
  /**
   * Changes a bundle: bundle, reservations, events, PIN and response are written atomically.
   *
   * @throws {PetakError} REQUEST_ID_REUSED; QUOTA_EXHAUSTED for a repeatable one.
   */
  change(change: BundleChange): Promise<BundleOutcome>;
  /**
   * Deletes a bundle if none of its reservations is stored any more, and returns whether that is so. It stays readable as long as responses are stored, so that a
   * repeated request finds the same as the first.
   */
  deleteIfEmpty(bundleId: string): Promise<boolean>;
  /** The PINs of bundles at a site, in the order of the ids. Undefined for a bundle without one. */
  pins(siteId: string, bundleIds: readonly string[]): Promise<(PinEntry | undefined)[]>;
}

const script = createScript("change-bundle");
const deleteEmptyScript = createScript("delete-empty-bundle");

const revisionBytes = 4;

/** How long a bundle is stored after its last change while its reservations are, in ms: half a year, longer than any parcel is stored. */
const keptMs = 180 * 86_400_000;

/** How long a PIN is stored after the latest end of its validity, in s: twice the greatest error of a clock at a site. The end may be moved until then. */
const pinKeptS = 600;

/** Stores bundles in Redis. */
export function createBundleStore(
  redis: RedisConnection,
  keys: Keys,
  ids: ShortIds,
  quotas: Pick<Quotas, "reservationEventsMax"> = defaultQuotas,
): BundleStore {
  const { siteIds } = ids;

  async function find(bundleId: string): Promise<Bundle | undefined> {
    const id = parseBundleId(bundleId);
    if (id === undefined) return undefined;
    const record = await redis.getBuffer(keys.bundle(id.region, id.handle));
    if (record === null) return undefined;
    const bundle = fromBinary(BundleSchema, record.subarray(revisionBytes));
    bundle.siteId = siteIds.lengthen(bundle.siteId, id.region);
    return bundle;
  }

  return {
    find,
    async deleteIfEmpty(bundleId) {
      const bundle = await find(bundleId);
      if (bundle === undefined) return false;
      const { region, handle } = parseBundleId(bundleId) as { region: Region; handle: string };
      const { siteNumber } = siteIds.require(bundle.siteId);
      const [tag] = await deleteEmptyScript(
        redis,
        [
          keys.bundle(region, handle),
          keys.siteAllowedVersion(region, siteNumber),
          keys.sitePins(region, siteNumber),
          ...bundle.reservationIds.map((reservationId) => keys.reservation(region, parseReservationId(reservationId)?.handle ?? "")),
        ],
        [bundle.revision, pinField(handle), responseTtlMs],
      );
      return tag === "done";
    },
    async change({ bundleId, siteId, before, after, pin, reservations, nowMs, response, isRepeatable = false }) {
      const { region, handle } = parseBundleId(bundleId) as { region: Region; handle: string };
      const { siteNumber } = siteIds.require(siteId);
      const written = await Promise.all(
        reservations.map(async (one) => [
          one.before.revision,
          one.after === undefined ? "" : await encodeReservation(one.after, ids),
          one.event === undefined ? "" : encodeCausedEvent(one.event, siteIds),
          uncountedEvents(one.before),
        ]),
      );
      const [tag, value, recorded] = await script(
        redis,
        [
          keys.storedResponse(region, response.participantId, response.requestId),
          keys.bundle(region, handle),
          keys.events(region),
          keys.siteAllowedVersion(region, siteNumber),
          keys.sitePins(region, siteNumber),
          ...reservations.map((one) => keys.reservation(region, parseReservationId(one.before.reservationId)?.handle ?? "")),
        ],
        [
          ...responseArguments(response),
          before?.revision ?? 0,
          after === undefined ? "" : encodeBundle({ ...after, siteId: siteIds.shorten(after.siteId, region) }),
          keptMs,
          pinField(handle),
          pin === undefined ? "" : pin === null ? "-" : encodePinEntry(pin),
          Math.floor(nowMs / 1000) - pinKeptS - bundlePinMaxLifetimeS,
          isRepeatable ? quotas.reservationEventsMax : 0,
          ...written.flat(),
        ],
      );
      if (tag === "many_events") {
        const { reservationId = "" } = reservations[Number(value) - 1]?.before ?? {};
        const limit = quotas.reservationEventsMax;
        throw quotaExhausted({ quota: "reservationEventsMax", limit, used: Number(recorded), subject: reservationId });
      }
      if (tag === "reused") throw requestIdReused(response.requestId);
      if (tag === "repeated") return { tag, response: value as Buffer };
      return { tag } as BundleOutcome;
    },
    async pins(siteId, bundleIds) {
      if (bundleIds.length === 0) return [];
      const { region, siteNumber } = siteIds.require(siteId);
      const fields = bundleIds.map((bundleId) => pinField(parseBundleId(bundleId)?.handle ?? ""));
      const pins = await redis.hmgetBuffer(keys.sitePins(region, siteNumber), ...fields);
      return pins.map((pin) => (pin === null ? undefined : decodePinEntry(pin)));
    },
  };
}

/**
 * Deletes the bundles whose last reservation was archived. A bundle that is left over by a crash expires half a year after its last change.
 *
 * @param archived the reservations that were deleted from the store
 */
export async function deleteEmptyBundles(
  bundles: Pick<BundleStore, "deleteIfEmpty">,
  archived: readonly Pick<Reservation, "bundleId">[],
): Promise<void> {
  const bundleIds = new Set(archived.map(({ bundleId }) => bundleId).filter((bundleId) => bundleId !== ""));
  await Promise.all([...bundleIds].map(bundles.deleteIfEmpty));
}

function encodeBundle(bundle: Bundle): Buffer {
  const head = Buffer.alloc(revisionBytes);
  head.writeUInt32LE(bundle.revision);
  return Buffer.concat([head, toBinary(BundleSchema, bundle)]);
}

/** The field of a bundle's PIN. It is in the same hash as the PINs of reservations, so that no two at a site are equal. */
function pinField(handle: string): string {
  return `b${handle}`;
}
