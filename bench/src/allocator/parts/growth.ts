import type { Allocator, Position } from "@petak/allocator";
import { type Answered, nearestByHand, requireFree, requireSame } from "../answers.ts";
import { type BenchContext, seed, withServer } from "../bench-context.ts";
import { loadCity } from "../load/filled-city.ts";
import { largePlacesOfHalf } from "../load/half-full.ts";
import { loadAsean } from "../load/load-asean.ts";
import { queryCosts } from "../measure/query-cost.ts";
import { aseanNetwork, originsNearSites } from "../network/asean.ts";
import { cityOrigins } from "../network/city.ts";
import { indexOfRef, type Network, question } from "../network/network.ts";
import type { Figure } from "../report/figure.ts";

/** Sites of the small network. */
const citySites = 10_000;

/** Queries of a round. */
const queryCount = 2000;

/** Queries whose answers are compared with a search by hand. */
const comparedCount = 100;

/** Two positions closer than this to one distance are one: what the index keeps is exact to 11 mm. */
const toleranceM = 0.05;

/** What a query costs over all of ASEAN, beside the same over one city of the same density, half of the sites full in both. */
export async function measureGrowth(context: BenchContext): Promise<Figure[]> {
  const { rounds, aseanSites, say } = context;
  return await withServer(false, async (small) => {
    const city = await loadCity(context, small, citySites);
    await city.fillTo(0.5);
    return await withServer(false, async (large) => {
      const network = aseanNetwork(aseanSites, seed);
      await loadAsean(large.server.socketPath, aseanSites, seed, say);
      const origins = originsNearSites(network, queryCount, seed + 3);
      say("ASEAN: comparing answers");
      for (const origin of origins.slice(0, comparedCount)) await compare(large.allocator, network, origin);
      say("ASEAN: measuring");
      const ours: number[] = [];
      const cityMicros: number[] = [];
      let commands: NonNullable<Figure["commands"]> = { ours: {} };
      for (let round = 0; round < rounds; round++) {
        const inCity = await queryCosts(small.redis, cityOrigins(queryCount, seed + 2), 1, { nearest: nearestOf(small.allocator) });
        const inAsean = await queryCosts(large.redis, origins, 1, { nearest: nearestOf(large.allocator) });
        ours.push(...inAsean.nearest.micros);
        cityMicros.push(...inCity.nearest.micros);
        commands = { ours: inAsean.nearest.commands, peer: inCity.nearest.commands };
      }
      return [
        {
          part: "growth",
          what: `nearest, ${aseanSites.toLocaleString("en")} sites over ASEAN, 50 % full`,
          unit: "µs of Redis a query",
          ours,
          peer: { name: `Petak, ${citySites.toLocaleString("en")} sites in one city`, values: cityMicros, isOurs: true },
          target: { limit: 1.3, is: "at most" },
          commands,
        },
      ];
    });
  });
}

function nearestOf(allocator: Allocator): (origin: Position) => Promise<unknown> {
  return (origin) => allocator.nearest({ ...question, origin });
}

async function compare(allocator: Allocator, network: Network, origin: Position): Promise<void> {
  const isFull = (index: number) => largePlacesOfHalf(index) === 0;
  const candidates = await allocator.nearest({ ...question, origin });
  const stored = await allocator.sites.findAll(candidates.map(({ siteId }) => siteId));
  const sites = stored.map((site) => indexOfRef(site?.site.operatorSiteRef ?? ""));
  const ours: Answered = { origin, sites };
  requireFree("the allocator", sites, isFull);
  requireSame("a search by hand", network, ours, nearestByHand(network, isFull, origin, question.limit), toleranceM);
}
