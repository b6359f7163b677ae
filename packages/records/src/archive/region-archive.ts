import { type Event, parseReservationId, type Region, type Reservation } from "@petak/protocol";
import type { Keys, SiteIds } from "@petak/redis";
import { isCluster, type RedisConnection } from "@petak/redis";
import { createScript } from "../create-script.ts";
import type { LeaseOutcome } from "../deliveries/delivery-store.ts";
import { decodeEvent } from "../events/event-bytes.ts";
import { decodeChain, decodeReservation, encodeChainEntry, encodeRecord, type ShortIds } from "../reservations/reservation-record.ts";

/** An event as its region's stream has it. */
export interface StoredEvent {
  /** `<ms>-<number>`. */
  readonly entry: string;
  readonly bytes: Buffer;
  /** The event, decoded when it is first asked for. @throws {Error} where the bytes are no event */
  readonly event: Event;
}

/** A reservation as it is stored, with the entries of the events about it, oldest first. */
export interface StoredReservation {
  reservation: Reservation;
  chain: readonly string[];
}

/** Part of a day that has been read back from the archive: events that follow one another, and the reservations that ended with one of them. */
export interface ForgottenMember {
  /** At least one. */
  entries: readonly string[];
  reservations: readonly StoredReservation[];
}

/** What leaves a region's records for the archive, and what comes back. */
export interface RegionArchive {
  /** Before which time the region's events are in the archive, in ms; 0 where none are. */
  archivedUntil(region: Region): Promise<number>;
  /** The oldest entry of the region's stream, or undefined. */
  oldest(region: Region): Promise<string | undefined>;
  /** Sees to it that nothing can be recorded before a time any more. */
  closeUntil(region: Region, untilMs: number): Promise<void>;
  /** Events after one entry up to another or, where it is a time, before it; at most `count`. */
  readOn(region: Region, after: string, to: { entry: string } | { beforeMs: number }, count: number): Promise<StoredEvent[]>;
  /** Of some reservations those whose last event is the one with the entry beside it. */
  endingWith(region: Region, pairs: readonly { handle: string; entry: string }[]): Promise<(StoredReservation | undefined)[]>;
  /**
   * Takes away what the archive has. False where the stream does not begin with those events, and nothing was done; else the number of
   * reservations that were taken away: those that have changed, or that the clock still has to do with, stay.
   */
  forget(region: Region, untilMs: number, member: ForgottenMember): Promise<number | false>;
  /** Takes a reservation away that the archive has, with its deadline. False where it is not as the archive has it. */
  release(archived: StoredReservation): Promise<boolean>;
  /** Brings one back, so that something can be recorded about it. */
  restore(archived: StoredReservation, deadlineMs: number): Promise<void>;
  /** Takes the lease of a region, or holds on to it, for so many ms by the server's clock. */
  lease(region: Region, token: string, ttlMs: number): Promise<LeaseOutcome>;
  /** Gives the lease back, where it is the asker's. */
  giveBack(region: Region, token: string): Promise<void>;
  /** The id of the archive of these records, or undefined. */
  identity(): Promise<string | undefined>;
  /** Gives the records their archive, once and for all. Gives the id that they have. */
  claimIdentity(id: string): Promise<string>;
  /** The server's clock, in ms. */
  serverTimeMs(): Promise<number>;
}

const closeScript = createScript("close-day");
const forgetScript = createScript("forget-archived");
const releaseScript = createScript("release-archived");
const restoreScript = createScript("restore-archived");
const leaseScript = createScript("hold-lease");

/** Bytes of an entry at the end of a record. */
const chainEntryBytes = 10;

/** Keeps it in Redis. */
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
    async readOn(region, after, to, count) {
      const last = "entry" in to ? to.entry : `(${to.beforeMs}-0`;
      const found = await redis.xrangeBuffer(keys.events(region), `(${after}`, last, "COUNT", count);
      return found.map(([entry, fields]) => storedEvent(entry.toString("latin1"), fields[1] as Buffer, ids.siteIds));
    },
    async endingWith(region, pairs) {
      const ends = await Promise.all(
        pairs.map(({ handle }) => redis.getrangeBuffer(keys.reservation(region, handle), -chainEntryBytes, -1)),
      );
      return await Promise.all(
        pairs.map(async ({ handle, entry }, index) => {
          if (!ends[index]?.equals(encodeChainEntry(entry))) return undefined;
          const record = await redis.getBuffer(keys.reservation(region, handle));
          if (record === null) return undefined;
          const chain = decodeChain(record);
          // It may have got another event just now.
          return chain.at(-1) === entry ? { reservation: await decodeReservation(region, handle, record, ids), chain } : undefined;
        }),
      );
    },
    async forget(region, untilMs, { entries, reservations }) {
      const last = entries.at(-1) as string;
      const [tag, taken] = await forgetScript(
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
          entryAfter(last),
          ...reservations.flatMap(({ reservation, chain }) => [
            handleOf(reservation.reservationId).handle,
            reservation.revision,
            encodeChainEntry(chain.at(-1) as string),
          ]),
        ],
      );
      return tag === "done" ? Number(taken) : false;
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
        [handle, reservation.revision, encodeChainEntry(chain.at(-1) as string)],
      );
      return tag === "done";
    },
    async restore({ reservation, chain }, deadlineMs) {
      const { region, handle } = handleOf(reservation.reservationId);
      const record = await encodeRecord(reservation, chain, ids);
      await restoreScript(redis, [keys.reservation(region, handle), keys.deadlines(region)], [record, handle, deadlineMs]);
    },
    async lease(region, token, ttlMs) {
      const [tag] = await leaseScript(redis, [keys.archiveLease(region)], [token, ttlMs]);
      return tag as LeaseOutcome;
    },
    async giveBack(region, token) {
      await leaseScript(redis, [keys.archiveLease(region)], [token, 0]);
    },
    async identity() {
      return (await redis.get(keys.archiveId())) ?? undefined;
    },
    async claimIdentity(id) {
      return (await redis.set(keys.archiveId(), id, "NX", "GET")) ?? id;
    },
    async serverTimeMs() {
      // In a cluster each server has its own. The earliest is the one that keeps what is remembered for the longest.
      const servers = isCluster(redis) ? redis.nodes("master") : [redis];
      const times = await Promise.all(servers.map((server) => server.time()));
      return Math.min(...times.map(([seconds]) => Number(seconds) * 1000));
    },
  };
}

/** An event of a stream with its bytes. */
export function storedEvent(entry: string, bytes: Buffer, siteIds: SiteIds): StoredEvent {
  let event: Event | undefined;
  return {
    entry,
    bytes,
    get event() {
      event ??= decodeEvent(bytes, siteIds);
      return event;
    },
  };
}

/** The next entry that there can be. */
function entryAfter(entry: string): string {
  const [timeMs, number = 0] = entry.split("-").map(Number);
  return `${timeMs}-${number + 1}`;
}
