import type { Region } from "@petak/protocol";
import type { Position } from "@petak/protocol/geo";
import type { Observation } from "../block/observation.ts";
import { recordBytes } from "../block/record.ts";
import type { NearestQuery } from "../query/query.ts";
import type { Found } from "./nearest-k.ts";

/** A size class that fits and has a free place, according to the index. */
export interface CandidateClass {
  /** Its index among the site's size classes. */
  index: number;
  /** Free to promise; 255 means 255 or more. */
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
  /** Revision of the site's facts in the index. */
  revision: number;
  /** The satisfying classes with a free place, smallest volume first. Never empty, unless the query includes full sites. */
  classes: CandidateClass[];
  /** When the site's operator reported the counts; undefined if the gateway's own counts apply. */
  observation: Observation | undefined;
  /** The index cell and the record's offset in its block, in bytes, so that a hold need not search for them. */
  cell: string;
  offset: number;
}

/** The candidate for a site that was found. */
export function candidateOf({ cell, block, index, distanceM, profile }: Found, query: NearestQuery): Candidate {
  const { region } = cell.region;
  const fitting = profile.fitting(query);
  let classes: CandidateClass[] | undefined;
  for (const place of profile.order) {
    const free = (fitting & (1 << place)) === 0 ? 0 : block.freePlaces(index, place);
    if (free === 0) continue;
    // Most candidates have one class, and pushing to an empty array allocates room for sixteen more.
    if (classes === undefined) classes = [{ index: place, free }];
    else classes.push({ index: place, free });
  }
  return {
    siteId: block.siteId(index, region),
    region,
    siteNumber: block.siteNumber(index),
    position: block.position(index),
    distanceM,
    revision: block.revision(index),
    classes: classes ?? [],
    observation: block.observation(index),
    cell: cell.cell,
    offset: index * recordBytes,
  };
}
