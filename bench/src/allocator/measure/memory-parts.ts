import { parseSiteId } from "@petak/protocol";
import type { BenchServer } from "../bench-context.ts";
import { concurrently } from "../concurrently.ts";
import type { FilledCity } from "../load/filled-city.ts";
import { operatorId } from "../network/network.ts";
import type { Figure } from "../report/figure.ts";
import { usedMemory } from "./memory.ts";

/** Concurrent commands. */
const atOnce = 500;

/**
 * The server's memory for a site without its facts: blocks, directory, site counts, and the keys themselves. Computed as the memory that
 * all sites took when they were loaded, minus the memory freed by deleting their facts and the operator's references. The server is
 * unusable afterwards.
 *
 * @param siteBytes Memory of a site in all, in bytes.
 * @param reservationBytes Memory of a reservation in all, in bytes.
 */
export async function measureMemory(
  { redis, records }: BenchServer,
  { network, siteIds }: FilledCity,
  siteBytes: number,
  reservationBytes: number,
): Promise<Figure[]> {
  const many = network.count.toLocaleString("en");
  const before = await usedMemory(redis);
  await concurrently(siteIds.length, atOnce, async (index) => {
    const id = parseSiteId(siteIds[index] as string);
    if (id !== undefined) await redis.del(records.keys.site(id.region, id.siteNumber));
  });
  await redis.del(records.keys.operatorSiteRefs(operatorId));
  const factBytes = (before - (await usedMemory(redis))) / network.count;
  return [
    {
      part: "nearest",
      what: `memory of a site's place in the index, ${many} sites`,
      unit: "bytes",
      ours: [siteBytes - factBytes],
      target: { limit: 200, is: "at most" },
    },
    { part: "nearest", what: `memory of a site's facts, ${many} sites`, unit: "bytes", ours: [factBytes] },
    {
      part: "nearest",
      what: `memory of a held reservation, everything included, ${many} sites`,
      unit: "bytes",
      ours: [reservationBytes],
      target: { limit: 800, is: "at most" },
    },
  ];
}
