import { parseSiteId, type Region, ReservationState } from "@petak/protocol";
import type { Keys, RedisConnection } from "@petak/redis";
import { sharerOf } from "../encoding/hold-limits.ts";
import type { Records } from "../records.ts";
import { decodeShare } from "../reservations/held-counts.ts";
import { keysLike } from "./keys-like.ts";

/** What is counted of the holds of a region: for each participant the handles, and for each participant and site the number, in all and by size class. */
export interface CountedHolds {
  handles: Record<string, string[]>;
  atSites: Record<string, Record<string, number>>;
}

/** The counts that the scripts keep. */
export async function countedHolds(redis: RedisConnection, keys: Keys, region: Region): Promise<CountedHolds> {
  const base = keys.held(region);
  const sets = await keysLike(redis, `${base}:*`);
  const handles = await Promise.all(
    sets.map(async (key) => [key.slice(base.length + 1), (await redis.zrange(key, "0", "-1")).sort()] as const),
  );
  const fields = await redis.hkeysBuffer(base);
  const counts = await Promise.all(
    fields.map(async (field) => {
      const siteNumber = field.readUInt32LE(field.length - 4);
      return [`${field.toString("latin1", 0, field.length - 5)} ${siteNumber}`, shareOf(await redis.hget(base, field))] as const;
    }),
  );
  return { handles: Object.fromEntries(handles), atSites: Object.fromEntries(counts) };
}

/** The counts that follow from the stored reservations. */
export async function actualHolds(redis: RedisConnection, keys: Keys, records: Records, region: Region): Promise<CountedHolds> {
  const counted: CountedHolds = { handles: {}, atSites: {} };
  const prefix = keys.reservationPrefix(region);
  for (const key of (await keysLike(redis, `${prefix}*`)).sort()) {
    const handle = key.slice(prefix.length);
    const reservation = await records.reservations.find(`res_${region}_${handle}`);
    if (reservation?.state !== ReservationState.HELD) continue;
    const sharer = sharerOf(reservation);
    const share = `${sharer} ${parseSiteId(reservation.siteId)?.siteNumber}`;
    counted.handles[sharer] = [...(counted.handles[sharer] ?? []), handle];
    counted.atSites[share] ??= {};
    const own = counted.atSites[share];
    const { site } = (await records.sites.filed(reservation.siteId)) ?? {};
    const classIndex = site?.sizeClasses.findIndex(({ sizeClassId }) => sizeClassId === reservation.sizeClassId);
    for (const name of ["all", String(classIndex)]) own[name] = (own[name] ?? 0) + 1;
  }
  return counted;
}

function shareOf(text: string | null): Record<string, number> {
  const { all, byClass } = decodeShare(text);
  return { all, ...Object.fromEntries(byClass) };
}
