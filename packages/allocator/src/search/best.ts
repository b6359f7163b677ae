import { type Candidate, compareCandidates } from "./candidate.ts";

/** The k best candidates seen so far, in order. Short lists: an insertion is cheaper than a heap. */
export interface Best {
  /** Distance in m beyond which a further candidate would not enter. Infinity while there is room and no radius. */
  reachM(): number;
  /** Takes a candidate in, if it is among the best. */
  offer(candidate: Candidate): void;
  /** The best, nearest first. */
  take(): Candidate[];
}

/** Collects the `limit` nearest candidates within `radiusM`. */
export function createBest(limit: number, radiusM: number): Best {
  const best: Candidate[] = [];
  return {
    reachM: () => (best.length < limit ? radiusM : (best.at(-1)?.distanceM ?? radiusM)),
    offer(candidate) {
      if (candidate.distanceM > radiusM) return;
      let place = best.length;
      while (place > 0 && compareCandidates(candidate, best[place - 1] as Candidate) < 0) place--;
      if (place >= limit) return;
      best.splice(place, 0, candidate);
      if (best.length > limit) best.pop();
    },
    take: () => best,
  };
}
