import { fromBinary, toBinary } from "@bufbuild/protobuf";
import type { BundleTransition } from "@petak/lifecycle";
import { type Bundle, BundleSchema, parseBundleId, parseReservationId, type Region } from "@petak/protocol";
import type { Keys, RedisConnection } from "@petak/redis";
import { createScript } from "../create-script.ts";
import { encodeEvent } from "../events/event-bytes.ts";
import { type Answer, answerArguments, answerTtlMs } from "../reservations/answer.ts";
import { bundlePinLifetimeMaxS, encodePinEntry } from "../reservations/pin-entry.ts";
import { encodeReservation, type ShortIds } from "../reservations/reservation-record.ts";
import { requestIdReused } from "../reservations/reservation-store.ts";

/** A change of a bundle with what the store needs to write it. */
export interface BundleChange extends BundleTransition {
  bundleId: string;
  siteId: string;
  /** The gateway's clock, in ms. */
  nowMs: number;
  /** The answer to remember for the request that caused it. */
  answer: Answer;
}

/** What became of a change. */
export type BundleOutcome = { tag: "done" } | { tag: "repeated"; answer: Buffer } | { tag: "stale" } | { tag: "pin_taken" };

/** Bundles of reservations. */
export interface BundleStore {
  /** One bundle, or undefined. */
  find(bundleId: string): Promise<Bundle | undefined>;
  /**
   * Changes a bundle with everything that goes with it: all or nothing.
   *
   * @throws {PetakError} REQUEST_ID_REUSED.
   */
  change(change: BundleChange): Promise<BundleOutcome>;
  /**
   * Deletes a bundle when none of its reservations is stored any more, and returns whether that is so. It stays readable as long as responses are stored,
   * so that a repeated request finds what the first one found.
   */
  deleteIfEmpty(bundleId: string): Promise<boolean>;
  /** The PINs of bundles at a site, as {@link encodePinEntry} wrote them, in the order of the ids; undefined where one has none. */
  pins(siteId: string, bundleIds: readonly string[]): Promise<(Buffer | undefined)[]>;
}

const script = createScript("change-bundle");
const deleteEmptyScript = createScript("delete-empty-bundle");

const revisionBytes = 4;

/** How long a bundle is kept after its last change where its reservations stay, in ms: half a year, longer than any parcel lies. */
const keptMs = 180 * 86_400_000;

/** How long after it can end at the latest a PIN is kept, in s: twice what a clock at a site may be wrong. Up to then its end may be moved. */
const pinKeptS = 600;

/** Keeps bundles in Redis. */
export function createBundleStore(redis: RedisConnection, keys: Keys, ids: ShortIds): BundleStore {
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
        [bundle.revision, pinField(handle), answerTtlMs],
      );
      return tag === "done";
    },
    async change({ bundleId, siteId, before, after, pin, reservations, nowMs, answer }) {
      const { region, handle } = parseBundleId(bundleId) as { region: Region; handle: string };
      const { siteNumber } = siteIds.require(siteId);
      const written = await Promise.all(
        reservations.map(async (one) => [
          one.before.revision,
          one.after === undefined ? "" : await encodeReservation(one.after, ids),
          one.event === undefined ? "" : encodeEvent(one.event, siteIds),
        ]),
      );
      const [tag, value] = await script(
        redis,
        [
          keys.storedResponse(region, answer.participantId, answer.requestId),
          keys.bundle(region, handle),
          keys.events(region),
          keys.siteAllowedVersion(region, siteNumber),
          keys.sitePins(region, siteNumber),
          ...reservations.map((one) => keys.reservation(region, parseReservationId(one.before.reservationId)?.handle ?? "")),
        ],
        [
          ...answerArguments(answer),
          before?.revision ?? 0,
          after === undefined ? "" : encodeBundle({ ...after, siteId: siteIds.shorten(after.siteId, region) }),
          keptMs,
          pinField(handle),
          pin === undefined ? "" : pin === null ? "-" : encodePinEntry(pin),
          Math.floor(nowMs / 1000) - pinKeptS - bundlePinLifetimeMaxS,
          ...written.flat(),
        ],
      );
      if (tag === "reused") throw requestIdReused(answer.requestId);
      if (tag === "repeated") return { tag, answer: value as Buffer };
      return { tag } as BundleOutcome;
    },
    async pins(siteId, bundleIds) {
      if (bundleIds.length === 0) return [];
      const { region, siteNumber } = siteIds.require(siteId);
      const fields = bundleIds.map((bundleId) => pinField(parseBundleId(bundleId)?.handle ?? ""));
      const pins = await redis.hmgetBuffer(keys.sitePins(region, siteNumber), ...fields);
      return pins.map((pin) => pin ?? undefined);
    },
  };
}

function encodeBundle(bundle: Bundle): Buffer {
  const head = Buffer.alloc(revisionBytes);
  head.writeUInt32LE(bundle.revision);
  return Buffer.concat([head, toBinary(BundleSchema, bundle)]);
}

/** A bundle's PIN stands beside those of the reservations, so that no two at a site are the same. */
function pinField(handle: string): string {
  return `b${handle}`;
}
