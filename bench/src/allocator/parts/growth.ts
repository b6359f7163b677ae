import type { Position } from "@petak/allocator";
import type { SearchableRecords } from "@petak/records/testing/candidates";
import { createRandom } from "@petak/testkit";
import { type Answered, nearestByBruteForce, requireFree, requireSame } from "../answers.ts";
import { type BenchContext, type BenchServer, seed, withCachedAllocator, withServer } from "../bench-context.ts";
import { loadCity } from "../load/filled-city.ts";
import { largePlacesOfHalf } from "../load/half-full.ts";
import { type HoldTarget, targetsNear, targetsOf } from "../load/hold-targets.ts";
import { loadAsean } from "../load/load-asean.ts";
import { queryCosts } from "../measure/query-cost.ts";
import { trackingCost, trackingFigures, withTracking } from "../measure/tracking-cost.ts";
import { warmCosts } from "../measure/warm-costs.ts";
import { aseanNetwork, originsNearSites } from "../network/asean.ts";
import { cityOrigins } from "../network/city.ts";
import { indexOfRef, type Network, question } from "../network/network.ts";
import { coldVariant, type Figure, microsUnit } from "../report/figure.ts";

/** Sites of the small network. */
const citySites = 10_000;

/** Queries of a round without a cache. */
const coldQueryCount = 2000;

/** Queries of a round with a warm cache: enough to read almost all blocks in populated areas. */
const cityWarmQueryCount = 10_000;
const aseanWarmQueriesPerSite = 1 / 10;

/** Sites over ASEAN at which places are held, mostly in different blocks. */
const targetCount = 20_000;

/** Queries whose answers are compared with a brute-force search. */
const comparedCount = 100;

/**
 * Two positions whose distances differ by less than this, in m, are considered equal: the index stores positions with a precision of 11 mm.
 */
const toleranceM = 0.05;

/** The cost of a query over all of ASEAN, compared with the same over one city of the same density; half of the sites are full in both. */
export async function measureGrowth(context: BenchContext): Promise<Figure[]> {
  const { mostSites, say } = context;
  return await withServer(false, async (small) => {
    const city = await loadCity(context, small, citySites);
    await city.fillTo(0.5);
    return await withServer(false, async (large) => {
      const network = aseanNetwork(mostSites, seed);
      await loadAsean(large.server.socketPath, mostSites, seed, say);
      say("ASEAN: comparing answers");
      const asked = originsNearSites(network, comparedCount, seed + 8);
      for (const origin of asked) await compare(large.records, network, origin);
      const inCity: Place = {
        name: `${citySites.toLocaleString("en")} sites in one city`,
        server: small,
        coldOrigins: cityOrigins(coldQueryCount, seed + 2),
        warmOrigins: cityOrigins(cityWarmQueryCount, seed + 6),
        targets: targetsOf(city.network, city.siteIds),
      };
      const inAsean: Place = {
        name: `${mostSites.toLocaleString("en")} sites over ASEAN`,
        server: large,
        coldOrigins: originsNearSites(network, coldQueryCount, seed + 3),
        warmOrigins: originsNearSites(network, Math.round(mostSites * aseanWarmQueriesPerSite), seed + 6),
        targets: await targetsNear(large.records, originsNearSites(network, targetCount, seed + 9)),
      };
      return [...(await measureWarm(context, inAsean, inCity)), await measureCold(context, inAsean, inCity)];
    });
  });
}

/** A network, the origins of its queries and the targets of its holds. */
interface Place {
  name: string;
  server: BenchServer;
  coldOrigins: readonly Position[];
  warmOrigins: readonly Position[];
  targets: readonly HoldTarget[];
}

/** Queries of an allocator with a cache warmed by the same traffic. */
async function measureWarm({ rounds, say }: BenchContext, asean: Place, city: Place): Promise<Figure[]> {
  const measureIn = ({ name, server, warmOrigins, targets }: Place) =>
    withCachedAllocator(server, async (cached) => {
      say(`${name}: measuring the cost of invalidations`);
      const tracking = await trackingCost(server, { cached, plain: server.records }, targets, rounds);
      say(`${name}: warming up and measuring`);
      const costs = await warmCosts(server.redis, cached, warmOrigins, targets, rounds, createRandom(seed + 5));
      return { tracking, micros: withTracking(costs, tracking), commands: costs.at(-1)?.commands ?? {} };
    });
  const [inCity, inAsean] = [await measureIn(city), await measureIn(asean)];
  return [
    {
      part: "growth",
      what: `nearest, ${asean.name}, 50 % full`,
      unit: microsUnit,
      ours: inAsean.micros,
      peer: { name: `Petak, ${city.name}`, values: inCity.micros, isOurs: true },
      target: { limit: 1.3, is: "at most" },
      commands: { ours: inAsean.commands, peer: inCity.commands },
    },
    ...trackingFigures("growth", asean.name, inAsean.tracking),
  ];
}

async function measureCold({ rounds, say }: BenchContext, asean: Place, city: Place): Promise<Figure> {
  say("ASEAN: measuring without a cache");
  const ours: number[] = [];
  const cityMicros: number[] = [];
  let commands: NonNullable<Figure["commands"]> = { ours: {} };
  for (let round = 0; round < rounds; round++) {
    const inCity = await queryCosts(city.server.redis, city.coldOrigins, 1, { nearest: nearestOf(city.server.records) });
    const inAsean = await queryCosts(asean.server.redis, asean.coldOrigins, 1, { nearest: nearestOf(asean.server.records) });
    ours.push(...inAsean.nearest.micros);
    cityMicros.push(...inCity.nearest.micros);
    commands = { ours: inAsean.nearest.commands, peer: inCity.nearest.commands };
  }
  return {
    part: "growth",
    what: `nearest, ${asean.name}, 50 % full`,
    variant: coldVariant,
    unit: microsUnit,
    ours,
    peer: { name: `Petak, ${city.name}`, values: cityMicros, isOurs: true },
    commands,
  };
}

function nearestOf(records: SearchableRecords): (origin: Position) => Promise<unknown> {
  return async (origin) => await records.nearest({ ...question, origin });
}

async function compare(records: SearchableRecords, network: Network, origin: Position): Promise<void> {
  const isFull = (index: number) => largePlacesOfHalf(index) === 0;
  const candidates = await records.nearest({ ...question, origin });
  const stored = await records.sites.findAll(candidates.map(({ siteId }) => siteId));
  const sites = stored.map((site) => indexOfRef(site?.site.operatorSiteRef ?? ""));
  const ours: Answered = { origin, sites };
  requireFree("the allocator", sites, isFull);
  requireSame("a brute-force search", network, ours, nearestByBruteForce(network, isFull, origin, question.limit), toleranceM);
}
