import type { Position } from "@petak/allocator";
import { newStoreCode } from "@petak/protocol";
import { createSearchableRecords, type SearchableRecords } from "@petak/records/testing/candidates";
import { createRandom } from "@petak/testkit";
import type { Redis } from "ioredis";
import { type Answered, requireFree, requireSame } from "../answers.ts";
import { type BenchContext, type BenchServer, seed, withCachedAllocator, withServer } from "../bench-context.ts";
import { type FilledCity, loadCity } from "../load/filled-city.ts";
import { targetsOf } from "../load/hold-targets.ts";
import { loadSites } from "../load/load-sites.ts";
import { usedMemory } from "../measure/memory.ts";
import { measureMemory } from "../measure/memory-parts.ts";
import { queryCosts } from "../measure/query-cost.ts";
import { type TrackingCost, trackingCost, trackingFigures, withTracking } from "../measure/tracking-cost.ts";
import { warmCosts } from "../measure/warm-costs.ts";
import { cityAreaKm2, cityNetwork, cityOrigins } from "../network/city.ts";
import { question } from "../network/network.ts";
import { createGeoPeer, firstCount, type GeoPeer, geoToleranceM, walkM } from "../peers/geosearch.ts";
import { coldVariant, type Figure, microsUnit, type Target } from "../report/figure.ts";

/** The networks, and the targets of a query's cost relative to GEOSEARCH. */
const networks: readonly { sites: number; target: Target }[] = [
  { sites: 10_000, target: { limit: 1 / 10, is: "at most" } },
  { sites: 100_000, target: { limit: 1 / 40, is: "at most" } },
];

/** Shares of sites that are full for the requested size. */
const occupancies = [0.5, 0.95, 0.99] as const;

/** From this share on the peer must consider what is free: of 20 sites it would find almost none. */
const crowded = 0.99;

const crowdedTarget: Target = { limit: 1 / 50, is: "at most" };
const growthTarget: Target = { limit: 2, is: "at most" };

/** Queries of a round without a cache, and with a warm cache, which cost less and vary more. */
const queryCount = 1000;
const warmQueryCount = 10_000;

/** The number of sites in the radius that an engineer who knows the density would choose to find 20. */
const fittedMeets = 40;

/** The cost of queries at one occupancy, by round. */
interface OccupancyCosts {
  warm: number[];
  cold: number[];
}

/** Redis' processor time for a query, compared with GEOSEARCH's, and the memory of sites and reservations. */
export async function measureNearest(context: BenchContext): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const { sites, target } of networks.filter(({ sites }) => sites <= context.mostSites)) {
    figures.push(...(await withServer(false, (server) => measureNetwork(context, server, sites, target))));
  }
  return figures;
}

/** Measures one network, from the least to the greatest occupancy. */
async function measureNetwork(context: BenchContext, server: BenchServer, sites: number, target: Target): Promise<Figure[]> {
  const { say, rounds } = context;
  const { redis, records } = server;
  const many = sites.toLocaleString("en");
  say(`Nearest: ${many} sites`);
  const peer = await createGeoPeer(redis, cityNetwork(sites, seed));
  await loadElsewhere(redis);
  const emptyBytes = await usedMemory(redis);
  const city = await loadCity(context, server, sites);
  const siteBytes = ((await usedMemory(redis)) - emptyBytes) / sites;
  const costBy = new Map<number, OccupancyCosts>();
  const figures: Figure[] = [];
  let reservationBytes = Number.NaN;
  let tracking: TrackingCost | undefined;
  for (const occupancy of occupancies) {
    const beforeBytes = await usedMemory(redis);
    const filled = await city.fillTo(occupancy);
    if (occupancy === occupancies[0]) reservationBytes = ((await usedMemory(redis)) - beforeBytes) / filled.length;
    await peer.fill(filled);
    await withCachedAllocator(server, async (cached) => {
      if (tracking === undefined) {
        // At the least occupancy, because a query that searches far would read blocks of both halves.
        say(`${many} sites: measuring the cost of invalidations`);
        tracking = await trackingCost(server, { cached, plain: records }, targetsOf(city.network, city.siteIds), rounds);
        figures.push(...trackingFigures("nearest", `${many} sites`, tracking));
      }
      const measured = await measureOccupancy(context, server, { cached, city, peer, occupancy, target, tracking });
      costBy.set(occupancy, measured.costs);
      figures.push(...measured.figures);
    });
  }
  figures.push(...occupancyGrowth(`nearest, ${many} sites, 99 % full`, costBy));
  say(`${many} sites: measuring the memory`);
  figures.push(...(await measureMemory(server, city, siteBytes, reservationBytes)));
  return figures;
}

/** Puts a site under another prefix, so that one-time costs, such as the scripts' text, are not counted as a site's memory. */
async function loadElsewhere(redis: Redis): Promise<void> {
  const elsewhere = createSearchableRecords({ redis, prefix: "petak-elsewhere", storeCode: newStoreCode() });
  await loadSites(elsewhere, cityNetwork(1, seed), { from: 0, to: 1, largePlaces: () => 1 });
  elsewhere.stop();
}

function occupancyGrowth(what: string, costBy: ReadonlyMap<number, OccupancyCosts>): Figure[] {
  const [least, most] = [costBy.get(0.5), costBy.get(0.99)];
  const figure = (kind: keyof OccupancyCosts): Figure => ({
    part: "nearest",
    what,
    unit: microsUnit,
    ours: most?.[kind] ?? [],
    peer: { name: "Petak, 50 % full", values: least?.[kind] ?? [], isOurs: true },
  });
  return [
    { ...figure("warm"), target: growthTarget },
    { ...figure("cold"), variant: coldVariant },
  ];
}

async function measureOccupancy(
  { rounds, say }: BenchContext,
  { redis, records }: BenchServer,
  {
    cached,
    city,
    peer,
    occupancy,
    target,
    tracking,
  }: { cached: SearchableRecords; city: FilledCity; peer: GeoPeer; occupancy: number; target: Target; tracking: TrackingCost },
): Promise<{ costs: OccupancyCosts; figures: Figure[] }> {
  const { count } = city.network;
  const what = `nearest, ${count.toLocaleString("en")} sites, ${Math.round(occupancy * 100)} % full`;
  const origins = cityOrigins(queryCount, seed + 2);
  const fittedM = Math.sqrt((fittedMeets / count) * (cityAreaKm2 / Math.PI)) * 1000;
  say(`${what}: comparing answers`);
  for (const origin of origins) await compare([records, cached], peer, city, origin);
  say(`${what}: measuring`);
  const costs = await queryCosts(redis, origins, rounds, {
    cold: async (origin) => await records.nearest({ ...question, origin }),
    plain: (origin) => peer.within(origin, walkM),
    fitted: (origin) => peer.within(origin, fittedM),
    amongFree: (origin) => peer.amongFree(origin),
    widened: (origin) => peer.widened(origin),
  });
  const random = createRandom(seed + Math.round(occupancy * 100));
  const targets = targetsOf(city.network, city.siteIds);
  const warm = await warmCosts(redis, cached, cityOrigins(warmQueryCount, seed + 6), targets, rounds, random);
  for (const origin of origins) await compare([cached], peer, city, origin);
  const warmMicros = withTracking(warm, tracking);
  const beside = (name: keyof typeof costs, peerName: string, wanted?: Target): Figure[] => {
    const figure: Figure = {
      part: "nearest",
      what,
      unit: microsUnit,
      ours: warmMicros,
      peer: { name: peerName, values: costs[name].micros },
      commands: { ours: warm.at(-1)?.commands ?? {}, peer: costs[name].commands },
    };
    const cold: Figure = {
      ...figure,
      variant: coldVariant,
      ours: costs.cold.micros,
      commands: { ours: costs.cold.commands, peer: costs[name].commands },
    };
    return wanted === undefined ? [figure] : [{ ...figure, target: wanted }, cold];
  };
  const isCrowded = occupancy >= crowded;
  return {
    costs: { warm: warmMicros, cold: costs.cold.micros },
    figures: [
      ...beside("plain", `GEOSEARCH ${walkM / 1000} km COUNT ${firstCount}, availability ignored`, isCrowded ? undefined : target),
      ...beside("fitted", `GEOSEARCH ${(fittedM / 1000).toFixed(2)} km (fitted) COUNT ${firstCount}, availability ignored`),
      ...beside("widened", "GEOSEARCH widened and filtered until it has five", isCrowded ? crowdedTarget : undefined),
      ...beside("amongFree", "GEOSEARCH over free sites only, a set for each size"),
    ],
  };
}

async function compare(gatewayRecords: readonly SearchableRecords[], peer: GeoPeer, city: FilledCity, origin: Position): Promise<void> {
  const [plain, widened, amongFree] = await Promise.all([peer.within(origin, walkM), peer.widened(origin), peer.amongFree(origin)]);
  requireFree("GEOSEARCH, filtered,", widened, city.isFull);
  for (const records of gatewayRecords) {
    const candidates = await records.nearest({ ...question, origin });
    const ours: Answered = { origin, sites: candidates.map(({ siteId }) => city.indexOf(siteId)) };
    requireFree("the allocator", ours.sites, city.isFull);
    requireSame("GEOSEARCH, widened,", city.network, ours, widened, geoToleranceM);
    requireSame("GEOSEARCH over free sites", city.network, ours, amongFree, geoToleranceM);
    // GEOSEARCH ignores what is free, so only the free ones among its sites are compared with our first ones.
    const plainFree = plain.filter((index) => !city.isFull(index)).slice(0, question.limit);
    const first = { origin, sites: ours.sites.slice(0, plainFree.length) };
    requireSame("GEOSEARCH", city.network, first, plainFree, geoToleranceM);
  }
}
