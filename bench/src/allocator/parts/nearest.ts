import { type Allocator, createAllocator, type Position } from "@petak/allocator";
import { createRandom } from "@petak/testkit";
import { type Answered, requireFree, requireSame } from "../answers.ts";
import { type BenchContext, type BenchServer, reportError, seed, withServer } from "../bench-context.ts";
import { type FilledCity, loadCity } from "../load/filled-city.ts";
import { cachedCost, queriesPerHold } from "../measure/cached-cost.ts";
import { usedMemory } from "../measure/memory.ts";
import { measureMemory } from "../measure/memory-parts.ts";
import { queryCosts } from "../measure/query-cost.ts";
import { cityAreaKm2, cityNetwork, cityOrigins } from "../network/city.ts";
import { question } from "../network/network.ts";
import { createGeoPeer, firstCount, type GeoPeer, geoToleranceM, walkM } from "../peers/geosearch.ts";
import type { Figure, Target } from "../report/figure.ts";

/** The networks, and how much cheaper than GEOSEARCH a query over them is to be. */
const networks: readonly { sites: number; target: Target }[] = [
  { sites: 10_000, target: { limit: 1 / 10, is: "at most" } },
  { sites: 100_000, target: { limit: 1 / 40, is: "at most" } },
];

/** Shares of sites that are full for the size asked. */
const occupancies = [0.5, 0.95, 0.99] as const;

/** From this share on the peer has to look at what is free: of 20 sites it would find next to none. */
const crowded = 0.99;

const crowdedTarget: Target = { limit: 1 / 50, is: "at most" };
const growthTarget: Target = { limit: 2, is: "at most" };

const microsUnit = "µs of Redis a query";

/** Queries of a round. */
const queryCount = 1000;

/** How many sites an engineer who knows the density would have GEOSEARCH meet for the 20 he wants. */
const fittedMeets = 40;

/** Redis' processor time for a query, beside GEOSEARCH's, and what sites and reservations take of its memory. */
export async function measureNearest(context: BenchContext): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const { sites, target } of networks) {
    figures.push(...(await withServer(false, (server) => measureNetwork(context, server, sites, target))));
  }
  return figures;
}

/** Measures one network, from the emptiest to the fullest. */
async function measureNetwork(context: BenchContext, server: BenchServer, sites: number, target: Target): Promise<Figure[]> {
  const { say } = context;
  const { redis } = server;
  const many = sites.toLocaleString("en");
  say(`Nearest: ${many} sites`);
  const peer = await createGeoPeer(redis, cityNetwork(sites, seed));
  const emptyBytes = await usedMemory(redis);
  const city = await loadCity(context, server, sites);
  const siteBytes = ((await usedMemory(redis)) - emptyBytes) / sites;
  const figures: Figure[] = [];
  const costBy = new Map<number, number[]>();
  let reservationBytes = Number.NaN;
  for (const occupancy of occupancies) {
    const beforeBytes = await usedMemory(redis);
    const filled = await city.fillTo(occupancy);
    if (occupancy === occupancies[0]) reservationBytes = ((await usedMemory(redis)) - beforeBytes) / filled.length;
    await peer.fill(filled);
    const measured = await measureOccupancy(context, server, city, peer, occupancy, target);
    costBy.set(occupancy, measured[0]?.ours ?? []);
    figures.push(...measured);
  }
  figures.push({
    part: "nearest",
    what: `nearest, ${many} sites, 99 % full`,
    unit: microsUnit,
    ours: costBy.get(0.99) ?? [],
    peer: { name: "Petak, 50 % full", values: costBy.get(0.5) ?? [], isOurs: true },
    target: growthTarget,
  });
  say(`${many} sites: taking the memory apart`);
  figures.push(...(await measureMemory(server, city, siteBytes, reservationBytes)));
  return figures;
}

async function measureOccupancy(
  { rounds, say }: BenchContext,
  { redis, allocator, connect }: BenchServer,
  city: FilledCity,
  peer: GeoPeer,
  occupancy: number,
  target: Target,
): Promise<Figure[]> {
  const { count } = city.network;
  const what = `nearest, ${count.toLocaleString("en")} sites, ${Math.round(occupancy * 100)} % full`;
  const origins = cityOrigins(queryCount, seed + 2);
  const fittedM = Math.sqrt((fittedMeets / count) * (cityAreaKm2 / Math.PI)) * 1000;
  say(`${what}: comparing answers`);
  for (const origin of origins) await compare(allocator, peer, city, origin);
  say(`${what}: measuring`);
  const costs = await queryCosts(redis, origins, rounds, {
    ours: (origin) => allocator.nearest({ ...question, origin }),
    plain: (origin) => peer.within(origin, walkM),
    fitted: (origin) => peer.within(origin, fittedM),
    amongFree: (origin) => peer.amongFree(origin),
    widened: (origin) => peer.widened(origin),
  });
  const writer = connect();
  await writer.connect();
  const cached = createAllocator({ redis: writer, indexCache: { connect, onError: reportError } });
  const random = createRandom(seed + Math.round(occupancy * 100));
  const cachedMicros: number[] = [];
  try {
    // The first round fills the cache.
    for (let round = 0; round <= rounds; round++) {
      const micros = await cachedCost(redis, { cached, plain: allocator }, city, origins, random);
      if (round > 0) cachedMicros.push(micros);
    }
  } finally {
    cached.stop();
    writer.disconnect();
  }
  const beside = (name: keyof typeof costs, peerName: string, wanted?: Target): Figure => ({
    part: "nearest",
    what,
    unit: microsUnit,
    ours: costs.ours.micros,
    peer: { name: peerName, values: costs[name].micros },
    ...(wanted === undefined ? {} : { target: wanted }),
    commands: { ours: costs.ours.commands, peer: costs[name].commands },
  });
  const isCrowded = occupancy >= crowded;
  const plainName = `GEOSEARCH ${walkM / 1000} km COUNT ${firstCount}, availability ignored`;
  const widenedName = "GEOSEARCH widened and filtered until it has five";
  const [yardstick, yardstickName] = isCrowded ? (["widened", widenedName] as const) : (["plain", plainName] as const);
  return [
    beside("plain", plainName, isCrowded ? undefined : target),
    beside("fitted", `GEOSEARCH ${(fittedM / 1000).toFixed(2)} km (fitted) COUNT ${firstCount}, availability ignored`),
    beside("widened", widenedName, isCrowded ? crowdedTarget : undefined),
    beside("amongFree", "GEOSEARCH over free sites only, a set for each size"),
    {
      part: "nearest",
      what,
      variant: `with the gateway's index cache, a hold for every ${queriesPerHold} queries`,
      unit: microsUnit,
      ours: cachedMicros,
      peer: { name: yardstickName, values: costs[yardstick].micros },
    },
  ];
}

async function compare(allocator: Allocator, peer: GeoPeer, city: FilledCity, origin: Position): Promise<void> {
  const candidates = await allocator.nearest({ ...question, origin });
  const ours: Answered = { origin, sites: candidates.map(({ siteId }) => city.indexOf(siteId)) };
  const [plain, widened, amongFree] = await Promise.all([peer.within(origin, walkM), peer.widened(origin), peer.amongFree(origin)]);
  requireFree("the allocator", ours.sites, city.isFull);
  requireFree("GEOSEARCH, filtered,", widened, city.isFull);
  requireSame("GEOSEARCH, widened,", city.network, ours, widened, geoToleranceM);
  requireSame("GEOSEARCH over free sites", city.network, ours, amongFree, geoToleranceM);
  // Without regard to what is free the peer answers another question: those of its sites that are free must be our first.
  const plainFree = plain.filter((index) => !city.isFull(index)).slice(0, question.limit);
  const first = { origin, sites: ours.sites.slice(0, plainFree.length) };
  requireSame("GEOSEARCH", city.network, first, plainFree, geoToleranceM);
}
