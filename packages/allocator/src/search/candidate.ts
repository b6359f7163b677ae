import type { Region } from "@petak/protocol";
import type { Observation } from "../capacity/observation.ts";
import type { Position } from "../geo/position.ts";

/** A size class that fits and has a place free, as the index showed it. */
export interface CandidateClass {
  /** Its index among the site's size classes. */
  index: number;
  /** Free to promise, 255 meaning 255 or more. */
  free: number;
}

/** A site that satisfies a query. */
export interface Candidate {
  siteId: string;
  region: Region;
  siteNumber: number;
  position: Position;
  /** Great-circle distance from the origin in m. */
  distanceM: number;
  /** Revision of the site's facts when it was filed. */
  revision: number;
  /** The classes that would do, smallest volume first. At least one. */
  classes: CandidateClass[];
  /** When what is free was observed, where the site reports it; undefined where the gateway's own counts say it. */
  observation: Observation | undefined;
  /** The index cell, and the record's offset in its block: where a hold need not look for them again. */
  cell: string;
  offset: number;
}

/** Nearest first; equal distances in the order of the site ids. */
export function compareCandidates(a: Candidate, b: Candidate): number {
  return a.distanceM - b.distanceM || (a.siteId < b.siteId ? -1 : a.siteId > b.siteId ? 1 : 0);
}
