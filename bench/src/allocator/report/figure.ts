import { median } from "../../median.ts";

/** The parts of the bench, each of which can be measured alone. */
export const parts = ["reserve", "holds", "nearest", "growth"] as const;
export type Part = (typeof parts)[number];

/** The unit of a query's cost, used for charts and sums. */
export const microsUnit = "µs of Redis a query";

/** The variant of an allocator without a cache. */
export const coldVariant = "reading all it needs each time";

/** The target of a figure: of ours divided by the peer's, or of ours if there is no peer. */
export interface Target {
  limit: number;
  is: "at most" | "at least";
}

/** One measured quantity, round after round, with its comparison. */
export interface Figure {
  part: Part;
  what: string;
  /** The conditions of ours, if they are special. */
  variant?: string;
  unit: string;
  ours: number[];
  /** Another measurement in the same rounds: of a peer's solution, or of ours under other conditions. */
  peer?: { name: string; values: number[]; isOurs?: boolean };
  target?: Target;
  /** The commands on the server of one operation of ours and of the peer. */
  commands?: { ours: Record<string, number>; peer?: Record<string, number> };
  /** Why there are no numbers. */
  notMeasured?: string;
}

/** The value that the target applies to: ours divided by the peer's, or ours. NaN if it was not measured. */
export function resultOf({ ours, peer }: Figure): number {
  return peer === undefined ? median(ours) : median(ours) / median(peer.values);
}

/** Whether a figure meets its target; undefined if it has none or was not measured. */
export function isMet(figure: Figure): boolean | undefined {
  const { target } = figure;
  const result = resultOf(figure);
  if (target === undefined || Number.isNaN(result)) return undefined;
  return target.is === "at most" ? result <= target.limit : result >= target.limit;
}

/** A run of the allocator's bench, with everything needed to judge it. */
export interface AllocatorReport {
  commit: string;
  node: string;
  /** Flavour and version of the Redis server. */
  server: string;
  cpu: string;
  rounds: number;
  /** Duration of a measurement without an end of its own, in s. */
  seconds: number;
  figures: Figure[];
}
