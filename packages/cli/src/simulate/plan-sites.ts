import type { Position } from "@petak/protocol/geo";
import { type People, PositionIndex, placeSites } from "@petak/simulator";
import { sampleHomes } from "./sample-people.ts";

/** Homes that stand for all people, and those of them where a site may be. */
const demandSample = 20_000;
const candidateSample = 4000;

/** A site that was planned. */
export interface PlannedSite {
  readonly position: Position;
  /** Residents who have a site within the walk by this one, and by none before it. */
  readonly residents: number;
}

/** Where more sites would help, by where people live and not by how many places there are. */
export interface Plan {
  readonly walkM: number;
  readonly residents: number;
  /** Residents within the walk of a site, before and after. */
  readonly coveredBefore: number;
  readonly coveredAfter: number;
  /** Distance to the nearest site in m, which half of the residents do not exceed, before and after. Null: there is no site. */
  readonly medianBeforeM: number | null;
  readonly medianAfterM: number | null;
  readonly sites: readonly PlannedSite[];
}

/**
 * Plans sites among homes, greedily, for coverage within a walk.
 *
 * @param existing positions of the sites that are there
 * @param options `count`: most sites; fewer are planned if none adds anything. `walkM`: great-circle distance
 */
export function planSites(
  people: People,
  existing: readonly Position[],
  { count, walkM, seed }: { count: number; walkM: number; seed: number },
): Plan {
  const homes = sampleHomes(people, demandSample, seed, "plan");
  const perHome = people.residents / homes.length;
  const demand = homes.map(({ latitude, longitude }) => ({ latitude, longitude, weight: perHome }));
  const candidates = demand.slice(0, candidateSample);
  const { coveredBefore, placed } = placeSites(demand, existing, candidates, { walkM, count });
  const sites = placed.map(({ candidate, gain }) => {
    const { latitude, longitude } = candidates[candidate] as Position;
    return { position: { latitude, longitude }, residents: Math.round(gain) };
  });
  const gained = placed.reduce((sum, { gain }) => sum + gain, 0);
  return {
    walkM,
    residents: Math.round(people.residents),
    coveredBefore: Math.round(coveredBefore),
    coveredAfter: Math.round(coveredBefore + gained),
    medianBeforeM: medianToNearestM(homes, existing),
    medianAfterM: medianToNearestM(homes, [...existing, ...sites.map(({ position }) => position)]),
    sites,
  };
}

/** More than the size of any city, in m. */
const farM = 1_000_000;

function medianToNearestM(homes: readonly Position[], sites: readonly Position[]): number | null {
  const index = new PositionIndex(sites, 2000);
  const distances = homes.map((home) => index.nearest(home, farM)?.distanceM ?? farM).sort((a, b) => a - b);
  const median = distances[Math.floor((distances.length - 1) / 2)];
  return median === undefined || median >= farM ? null : Math.round(median);
}
