import { parseReservationId, type Region } from "@petak/protocol";
import { isCluster, type Keys, type RedisConnection } from "@petak/redis";
import { decodeChain, decodeReservation, encodeRecord, type ReservationWithChain } from "../encoding/reservation-record.ts";
import type { ShortIds } from "../encoding/short-ids.ts";
import { entryBytes, nextEntry, packEntry } from "../encoding/stream-entry.ts";
import { type StreamEvent, streamEvent } from "../events/event-stream.ts";
import { type LeaseOutcome, releaseLease, takeLease } from "../lease/lease.ts";
import { createScript } from "../lua/create-script.ts";

/** A member of a day file that was read back: consecutive events, and the reservations that ended with one of them. */
export interface ArchivedMember {
  /** At least one. */
  entries: readonly string[];
  reservations: readonly ReservationWithChain[];
}

/** Moves a region's events and reservations out of the store, and restores reservations. */
export interface RegionArchive {
  /** All of the region's events before this time are archived, in ms since 1970. 0: none are. */
  archivedUntil(region: Region): Promise<number>;
  /** The oldest entry of the region's stream. Undefined if it is empty. */
  oldest(region: Region): Promise<string | undefined>;
  /** Prevents events from being recorded before a time, in ms since 1970. */
  closeUntil(region: Region, untilMs: number): Promise<void>;
  /** At most `count` events after an entry, up to another entry or before a time in ms since 1970. */
  readBetween(region: Region, after: string, to: { entry: string } | { beforeMs: number }, count: number): Promise<StreamEvent[]>;
  /** For each pair, the reservation if the entry is its last event. */
  endingWith(region: Region, pairs: readonly { handle: string; entry: string }[]): Promise<(ReservationWithChain | undefined)[]>;
  /**
   * Deletes the events of a member and its reservations. Reservations that have changed or have a deadline are not deleted. Returns the number of deleted
   * reservations, or false, having deleted nothing, if the stream does not begin with those events.
   */
  deleteArchived(region: Region, untilMs: number, member: ArchivedMember): Promise<number | false>;
  /** Deletes an archived reservation and its deadline. Returns false if the stored one differs. */
  release(archived: ReservationWithChain): Promise<boolean>;
  /** Restores an archived reservation, so that events can be recorded about it. @param deadlineMs in ms since 1970 */
  restore(archived: ReservationWithChain, deadlineMs: number): Promise<void>;
  /** Acquires or renews the lease of a region, for `ttlMs` by the server's clock. */
  lease(region: Region, token: string, ttlMs: number): Promise<LeaseOutcome>;
  /** Releases the lease. Does nothing if somebody else has it. */
  releaseLease(region: Region, token: string): Promise<void>;
  /** The id of the store's archive, or undefined. */
  identity(): Promise<string | undefined>;
  /** Sets the id of the store's archive if it has none. Returns the id that it has. */
  claimIdentity(id: string): Promise<string>;
  /** The server's time, in ms since 1970. In a cluster, the earliest of its masters. */
  serverTimeMs(): Promise<number>;
}

const closeScript = createScript("close-day");
const deleteScript = createScript("delete-archived");
const releaseScript = createScript("release-archived");
const restoreScript = createScript("restore-archived");

/** Creates the region archive of a store. */
export function createRegionArchive(redis: RedisConnection, keys: Keys, ids: ShortIds): RegionArchive {
  const handleOf = (reservationId: string) => parseReservationId(reservationId) as { region: Region; handle: string };
  return {
    async archivedUntil(region) {
      return Number((await redis.get(keys.archivedUntil(region))) ?? 0);
    },
    async oldest(region) {
      const [first] = await redis.xrange(keys.events(region), "-", "+", "COUNT", 1);
      return first?.[0];
    },
    async closeUntil(region, untilMs) {
      await closeScript(redis, [keys.events(region)], [untilMs]);
    },
    async readBetween(region, after, to, count) {
      const last = "entry" in to ? to.entry : `(${to.beforeMs}-0`;
      const found = await redis.xrangeBuffer(keys.events(region), `(${after}`, last, "COUNT", count);
      return found.map(([entry, fields]) => streamEvent(entry.toString("latin1"), fields[1] as Buffer, ids.siteIds));
    },
    async endingWith(region, pairs) {
      const ends = await Promise.all(pairs.map(({ handle }) => redis.getrangeBuffer(keys.reservation(region, handle), -entryBytes, -1)));
      return await Promise.all(
        pairs.map(async ({ handle, entry }, index) => {
          if (!ends[index]?.equals(packEntry(entry))) return undefined;
          const record = await redis.getBuffer(keys.reservation(region, handle));
          if (record === null) return undefined;
          const chain = decodeChain(record);
          // It may have got another event meanwhile.
          return chain.at(-1) === entry ? { reservation: await decodeReservation(region, handle, record, ids), chain } : undefined;
        }),
      );
    },
    async deleteArchived(region, untilMs, { entries, reservations }) {
      const last = entries.at(-1) as string;
      const [tag, deleted] = await deleteScript(
        redis,
        [
          keys.events(region),
          keys.archivedUntil(region),
          keys.deadlines(region),
          ...reservations.map(({ reservation }) => keys.reservation(region, handleOf(reservation.reservationId).handle)),
        ],
        [
          untilMs,
          entries.length,
          entries[0] as string,
          last,
          nextEntry(last),
          ...reservations.flatMap(({ reservation, chain }) => [
            handleOf(reservation.reservationId).handle,
            reservation.revision,
            packEntry(chain.at(-1) as string),
          ]),
        ],
      );
      return tag === "done" ? Number(deleted) : false;
    },
    async release({ reservation, chain }) {
      const { region, handle } = handleOf(reservation.reservationId);
      const { siteNumber } = ids.siteIds.require(reservation.siteId);
      const [tag] = await releaseScript(
        redis,
        [
          keys.reservation(region, handle),
          keys.deadlines(region),
          keys.siteAllowed(region, siteNumber),
          keys.siteAllowedVersion(region, siteNumber),
          keys.sitePins(region, siteNumber),
        ],
        [handle, reservation.revision, packEntry(chain.at(-1) as string)],
      );
      return tag === "done";
    },
    async restore(archived, deadlineMs) {
      const { region, handle } = handleOf(archived.reservation.reservationId);
      const record = await encodeRecord(archived, ids);
      await restoreScript(redis, [keys.reservation(region, handle), keys.deadlines(region)], [record, handle, deadlineMs]);
    },
    lease: (region, token, ttlMs) => takeLease(redis, keys.archiveLease(region), token, ttlMs),
    releaseLease: (region, token) => releaseLease(redis, keys.archiveLease(region), token),
    async identity() {
      return (await redis.get(keys.archiveId())) ?? undefined;
    },
    async claimIdentity(id) {
      return (await redis.set(keys.archiveId(), id, "NX", "GET")) ?? id;
    },
    async serverTimeMs() {
      // The server with the earliest time keeps stored responses the longest.
      const servers = isCluster(redis) ? redis.nodes("master") : [redis];
      const times = await Promise.all(servers.map((server) => server.time()));
      return Math.min(...times.map(([seconds]) => Number(seconds) * 1000));
    },
  };
}
