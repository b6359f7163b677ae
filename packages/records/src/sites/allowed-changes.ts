import { formatBundleId, formatReservationId, type Region } from "@petak/protocol";
import type { Keys, RedisConnection, SiteIds } from "@petak/redis";

/** A version of what a site's agent is given. */
export interface AllowedVersion {
  /** Increases with each change. */
  number: number;
  /** Differs for the same number in a store that was reset to an earlier copy. 0: not known. */
  tag: number;
}

/** What changed from one version to another. */
export interface AllowedDifference {
  /** The later version. */
  version: AllowedVersion;
  /** The reservations that may have changed, or that are not allowed any more. */
  reservationIds: readonly string[];
  /** The bundles that may have changed, apart from those of the reservations. */
  bundleIds: readonly string[];
}

/** The last changes of what the agents of sites are given. */
export interface AllowedChanges {
  /** The version now. */
  version(siteId: string): Promise<AllowedVersion>;
  /** What has changed since a version; undefined if that is not known any more. @param now a version that {@link version} returned */
  since(siteId: string, known: AllowedVersion, now: AllowedVersion): Promise<AllowedDifference | undefined>;
}

interface Entry {
  version: AllowedVersion;
  subjects: string;
}

const headBytes = 10;

/** Changes that may come while the last ones are read. */
const slack = 16;

/** Reads them from Redis, where lua/includes/allowed-changes.lua writes them. */
export function createAllowedChanges(redis: RedisConnection, keys: Keys, siteIds: SiteIds): AllowedChanges {
  return {
    async version(siteId) {
      const { region, siteNumber } = siteIds.require(siteId);
      const [stored, last] = await Promise.all([
        redis.get(keys.siteAllowedVersion(region, siteNumber)),
        redis.lindexBuffer(keys.siteAllowedChanges(region, siteNumber), -1),
      ]);
      const number = Number(stored ?? 0);
      const entry = last === null ? undefined : decodeEntry(last);
      // A change may come between the two.
      return entry !== undefined && entry.version.number >= number ? entry.version : { number, tag: 0 };
    },
    async since(siteId, known, now) {
      const { region, siteNumber } = siteIds.require(siteId);
      if (known.tag === 0 || known.number > now.number) return undefined;
      const key = keys.siteAllowedChanges(region, siteNumber);
      const stored = await redis.lrangeBuffer(key, known.number - now.number - 1 - slack, -1);
      const [first, ...changes] = stored.map(decodeEntry).filter(({ version }) => version.number >= known.number);
      if (first?.version.number !== known.number || first.version.tag !== known.tag) return undefined;
      const isWhole = changes.every(({ version }, index) => version.number === known.number + 1 + index);
      return isWhole && changes.length >= now.number - known.number ? differenceOf(region, [first, ...changes]) : undefined;
    },
  };
}

function decodeEntry(bytes: Buffer): Entry {
  const version = { number: bytes.readUIntLE(0, 6), tag: bytes.readUInt32LE(6) };
  return { version, subjects: bytes.toString("latin1", headBytes) };
}

/** @param entries that of the known version, and those after it */
function differenceOf(region: Region, [known, ...changes]: [Entry, ...Entry[]]): AllowedDifference | undefined {
  const subjects = new Set(changes.flatMap((entry) => entry.subjects.split(" ")).filter((subject) => subject !== ""));
  if (subjects.has("*")) return undefined;
  const { version } = changes.at(-1) ?? known;
  const [bundles, reservations] = [[...subjects].filter(isBundle), [...subjects].filter((subject) => !isBundle(subject))];
  return {
    version,
    reservationIds: reservations.map((handle) => formatReservationId(region, handle)),
    bundleIds: bundles.map((field) => formatBundleId(region, field.slice(1))),
  };
}

/** A bundle is `b` and its handle. */
function isBundle(subject: string): boolean {
  return subject.length === 17;
}
