import { greatCircleM, type Position } from "@petak/allocator";
import { type Network, positionOf } from "./network/network.ts";

/** A query and what was answered to it: indexes of sites, nearest first. */
export interface Answered {
  origin: Position;
  sites: readonly number[];
}

/**
 * Why two answers to one query are not the same, or undefined where they are. Sites are compared by their distance: who computes with other
 * precision may put two sites at almost one distance in the other order, or end with the other of the two.
 *
 * @param toleranceM Greatest difference in m between distances that count as one.
 */
export function differenceOf(network: Network, ours: Answered, theirs: readonly number[], toleranceM: number): string | undefined {
  if (ours.sites.length !== theirs.length) return `${ours.sites.length} sites, not ${theirs.length}`;
  if (new Set(theirs).size !== theirs.length) return `a site twice in ${theirs.join(", ")}`;
  const distanceM = (index: number) => greatCircleM(ours.origin, positionOf(network, index));
  for (const [place, index] of ours.sites.entries()) {
    const other = theirs[place] as number;
    if (index === other) continue;
    const [oursM, theirsM] = [distanceM(index), distanceM(other)];
    if (Math.abs(oursM - theirsM) > toleranceM) {
      return `place ${place + 1}: site ${index} at ${oursM.toFixed(2)} m, not site ${other} at ${theirsM.toFixed(2)} m`;
    }
  }
  return undefined;
}

/** Fails the bench where a peer's answer is not ours. */
export function requireSame(who: string, network: Network, ours: Answered, theirs: readonly number[], toleranceM: number): void {
  const difference = differenceOf(network, ours, theirs, toleranceM);
  if (difference === undefined) return;
  const { latitude, longitude } = ours.origin;
  throw new Error(`${who} answers otherwise than the allocator at ${latitude}, ${longitude}: ${difference}`);
}

/** Fails the bench where an answer has a full site. */
export function requireFree(who: string, sites: readonly number[], isFull: (index: number) => boolean): void {
  const full = sites.find(isFull);
  if (full !== undefined) throw new Error(`${who} offers site ${full}, which is full`);
}

/** The nearest sites by looking at all of them. */
export function nearestByHand(network: Network, isFull: (index: number) => boolean, origin: Position, limit: number): number[] {
  const best: { index: number; distanceM: number }[] = [];
  for (let index = 0; index < network.count; index++) {
    const reachM = best.length < limit ? Number.POSITIVE_INFINITY : (best.at(-1)?.distanceM ?? 0);
    // A site that is farther north or south than that is farther away: most are ruled out without a sine.
    if (Math.abs((network.latitudes[index] as number) - origin.latitude) * leastMPerDegree > reachM) continue;
    if (isFull(index)) continue;
    const distanceM = greatCircleM(origin, positionOf(network, index));
    if (distanceM >= reachM) continue;
    best.push({ index, distanceM });
    best.sort((a, b) => a.distanceM - b.distanceM);
    if (best.length > limit) best.pop();
  }
  return best.map(({ index }) => index);
}

/** A degree of latitude is longer than this many m. */
const leastMPerDegree = 111_000;
