import { greatCircleM, type Position } from "@petak/allocator";
import { type Network, positionOf } from "./network/network.ts";

/** A query and its answer: indexes of sites, nearest first. */
export interface Answered {
  origin: Position;
  sites: readonly number[];
}

/**
 * Why two answers to one query differ, or undefined if they do not. Sites are compared by their distance: with other precision, two sites
 * at almost the same distance may be swapped, or an answer may end with the other of the two.
 *
 * @param toleranceM Greatest difference in m between distances that are considered equal.
 */
export function differenceOf(network: Network, ours: Answered, theirs: readonly number[], toleranceM: number): string | undefined {
  if (ours.sites.length !== theirs.length) return `${ours.sites.length} sites, not ${theirs.length}`;
  if (new Set(theirs).size !== theirs.length) return `a duplicate site in ${theirs.join(", ")}`;
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

/** Fails the bench if a peer's answer differs from ours. */
export function requireSame(who: string, network: Network, ours: Answered, theirs: readonly number[], toleranceM: number): void {
  const difference = differenceOf(network, ours, theirs, toleranceM);
  if (difference === undefined) return;
  const { latitude, longitude } = ours.origin;
  throw new Error(`${who} and the allocator differ at ${latitude}, ${longitude}: ${difference}`);
}

/** Fails the bench if an answer contains a full site. */
export function requireFree(who: string, sites: readonly number[], isFull: (index: number) => boolean): void {
  const full = sites.find(isFull);
  if (full !== undefined) throw new Error(`${who} offers site ${full}, which is full`);
}

/** The nearest sites by brute force. */
export function nearestByBruteForce(network: Network, isFull: (index: number) => boolean, origin: Position, limit: number): number[] {
  const best: { index: number; distanceM: number }[] = [];
  for (let index = 0; index < network.count; index++) {
    const reachM = best.length < limit ? Number.POSITIVE_INFINITY : (best.at(-1)?.distanceM ?? 0);
    // A difference in latitude alone may exceed the reach: that excludes most sites without a trigonometric function.
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

/** A lower bound of the length of a degree of latitude, in m. */
const leastMPerDegree = 111_000;
