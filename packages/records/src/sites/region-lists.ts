import { encodeOpeningTimes, encodeSizeProfile, isAlwaysOpen, openingTimes } from "@petak/allocator";
import { type ModeName, type Region, type Site, SiteLifecycle } from "@petak/protocol";
import type { Keys, RedisConnection } from "@petak/redis";
import { type Quotas, quotaExhausted } from "../quotas/quotas.ts";

/** What the index record of a site names in the lists of its region. Empty: nothing. */
export interface NamedEntries {
  readonly sizeProfile: Buffer;
  readonly openingTimes: Buffer;
}

const nothing = Buffer.alloc(0);

/** What a site's record names. A site that is not offered has no record, and one that never closes names no opening times. */
export function namedEntries({ lifecycle, sizeClasses, timeZone, openingHours }: Site): NamedEntries {
  if (lifecycle !== SiteLifecycle.ACTIVE) return { sizeProfile: nothing, openingTimes: nothing };
  const times = openingTimes(timeZone, openingHours);
  return { sizeProfile: encodeSizeProfile(sizeClasses), openingTimes: isAlwaysOpen(times) ? nothing : encodeOpeningTimes(times) };
}

/** Most entries of a list, and of them those that only sites of the test network name, as lua/includes/region-lists.lua has them. */
const entriesMax = { live: 65_536, test: 32_768 };

/** The entries that a record names are a sequence number modulo this. */
const numbers = 2 ** 24;

/** The change of what one site names in a list. Empty: nothing. */
interface Change {
  readonly from: Buffer;
  readonly to: Buffer;
}

/** The changes of sites in one region, in the order in which they are made. */
export interface RegionChanges {
  readonly region: Region;
  readonly mode: ModeName;
  readonly operatorId: string;
  /** The sites as they are, undefined for new ones, and as they will be. */
  readonly sites: readonly (readonly [before: Site | undefined, after: Site])[];
}

/** The name of an owner of entries, as lua/includes/region-lists.lua has it. @param operatorNumber as in the index records */
export function listOwner(operatorNumber: number | string | null, mode: ModeName): string {
  return `${operatorNumber}${mode === "test" ? "t" : "l"}`;
}

/** The error for a site that would add an entry to a list. @param used how many the operator has; negative: the region has as many as it may */
export function listFull(
  quota: "sizeProfilesMax" | "openingTimesMax",
  quotas: Quotas,
  { operatorId, region, mode }: Pick<RegionChanges, "operatorId" | "region" | "mode">,
  used: number,
  adding = 1,
): Error {
  if (used >= 0) return quotaExhausted({ quota, limit: quotas[quota], used, adding, subject: operatorId });
  return quotaExhausted({ quota, limit: entriesMax[mode], used: entriesMax[mode], adding, subject: region });
}

/**
 * Looks whether the lists of a region have room for changes of several sites, without writing anything.
 *
 * @returns whether they have in whatever order the changes are made; else only in the given order
 * @throws {PetakError} QUOTA_EXHAUSTED if they have not.
 */
export async function findListRoom(redis: RedisConnection, keys: Keys, quotas: Quotas, changes: RegionChanges): Promise<boolean> {
  const { region, mode, operatorId, sites } = changes;
  const owner = listOwner(await redis.hget(keys.operatorNumbers(), operatorId), mode);
  const named = sites.map(([before, after]) => [before && namedEntries(before), namedEntries(after)] as const);
  const lists = [
    { quota: "sizeProfilesMax", list: keys.profiles(region), uses: keys.profileUses(region), field: "sizeProfile" },
    { quota: "openingTimesMax", list: keys.openingTimes(region), uses: keys.openingTimesUses(region), field: "openingTimes" },
  ] as const;
  let isAnyOrder = true;
  for (const { quota, list, uses, field } of lists) {
    const wanted = named.map(([before, after]) => ({ from: before?.[field] ?? nothing, to: after[field] }));
    const limits = { owner: quotas[quota], all: entriesMax[mode] };
    const found = await readUses(redis, { list, uses, owner }, wanted);
    const room = roomIn(found, limits, wanted);
    if (room.full !== undefined) throw listFull(quota, quotas, changes, room.full === "owner" ? found.used : -1, room.adding);
    isAnyOrder &&= room.isAnyOrder;
  }
  return isAnyOrder;
}

/** How many records name an entry: all of the region, and those of the owner. */
interface EntryUses {
  all: number;
  own: number;
}

/** What is stored of a list, as far as changes concern it. */
interface ListUses {
  /** Entries that the owner's records name. */
  used: number;
  /** Entries of the list. */
  length: number;
  entries: Map<string, EntryUses>;
}

const textOf = (entry: Buffer) => entry.toString("latin1");

async function readUses(
  redis: RedisConnection,
  { list, uses, owner }: { list: string; uses: string; owner: string },
  changes: readonly Change[],
): Promise<ListUses> {
  const entries = new Map(
    changes.flatMap(({ from, to }) => [from, to]).flatMap((entry) => (entry.length > 0 ? [[textOf(entry), entry]] : [])),
  );
  const [used, length, stored] = await Promise.all([
    redis.hget(uses, owner),
    redis.zcard(list),
    Promise.all(
      [...entries].map(async ([text, entry]) => {
        const sequence = await redis.zscore(list, entry);
        if (sequence === null) return [text, { all: 0, own: 0 }] as const;
        const number = Number(sequence) % numbers;
        const [all, own] = await redis.hmget(uses, String(number), `${owner}:${number}`);
        return [text, { all: Number.parseInt(all ?? "0", 10), own: Number(own ?? 0) }] as const;
      }),
    ),
  ]);
  return { used: Number(used ?? 0), length, entries: new Map(stored) };
}

/** Whether the changes fit, made one after the other as lua/includes/region-lists.lua makes them. `full`: whose limit they pass. */
function roomIn(
  { used, length, entries }: ListUses,
  limits: { owner: number; all: number },
  changes: readonly Change[],
): { full?: "owner" | "all"; adding: number; isAnyOrder: boolean } {
  const come = [...new Set(changes.map(({ to }) => textOf(to)))].flatMap((text) => entries.get(text) ?? []);
  const adding = come.filter(({ own }) => own === 0).length;
  const isAnyOrder = used + adding <= limits.owner && length + come.filter(({ all }) => all === 0).length <= limits.all;
  for (const change of changes) {
    const [from, to] = [entries.get(textOf(change.from)), entries.get(textOf(change.to))];
    if (from === to) continue;
    if (to !== undefined) {
      if (to.own === 0 && from?.own !== 1 && used >= limits.owner) return { full: "owner", adding, isAnyOrder };
      if (to.all === 0 && from?.all !== 1 && length >= limits.all) return { full: "all", adding, isAnyOrder };
      if (to.own++ === 0) used += 1;
      if (to.all++ === 0) length += 1;
    }
    if (from === undefined || from.own === 0) continue;
    if (--from.own === 0) used -= 1;
    if (--from.all === 0) length -= 1;
  }
  return { adding, isAnyOrder };
}
