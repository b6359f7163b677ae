import { median } from "../../median.ts";

/** The parts of the bench, each of which can be measured alone. */
export const parts = ["reserve", "holds", "nearest", "growth"] as const;
export type Part = (typeof parts)[number];

/** The unit of what a query costs, and of what is drawn and added up. */
export const microsUnit = "µs of Redis a query";

/** What is particular about an allocator that keeps nothing in memory. */
export const coldVariant = "reading all it needs each time";

/** What is wanted of a figure: of ours divided by the peer's, or of ours where there is no peer. */
export interface Target {
  limit: number;
  is: "at most" | "at least";
}

/** One thing measured, round after round, beside what it is compared with. */
export interface Figure {
  part: Part;
  what: string;
  /** What is particular about ours here. */
  variant?: string;
  unit: string;
  ours: number[];
  /** What else was measured in the same rounds: what somebody else would build, or ours under other conditions. */
  peer?: { name: string; values: number[]; isOurs?: boolean };
  target?: Target;
  /** What one operation of ours, and of the peer, calls on the server. */
  commands?: { ours: Record<string, number>; peer?: Record<string, number> };
  /** Why there are no numbers. */
  notMeasured?: string;
}

/** What the target is about: ours divided by the peer's, or ours. NaN where it was not measured. */
export function resultOf({ ours, peer }: Figure): number {
  return peer === undefined ? median(ours) : median(ours) / median(peer.values);
}

/** Whether a figure is as wanted; undefined where nothing is wanted of it or it was not measured. */
export function isMet(figure: Figure): boolean | undefined {
  const { target } = figure;
  const result = resultOf(figure);
  if (target === undefined || Number.isNaN(result)) return undefined;
  return target.is === "at most" ? result <= target.limit : result >= target.limit;
}

/** A run of the allocator's bench and all that is needed to judge it. */
export interface AllocatorReport {
  commit: string;
  node: string;
  /** Flavour and version of the Redis server. */
  server: string;
  cpu: string;
  rounds: number;
  /** Length of a measurement that has no end of its own. */
  seconds: number;
  figures: Figure[];
}
