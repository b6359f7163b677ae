import type { Region } from "@petak/protocol";
import type { Observation } from "../block/observation.ts";
import { recordBytes } from "../block/record.ts";
import type { Position } from "../geo/position.ts";
import type { NearestQuery } from "../query/query.ts";
import type { Found } from "./best.ts";

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
  /** The classes that would do, smallest volume first. At least one, but of a full site that was looked for too. */
  classes: CandidateClass[];
  /** When what is free was observed, where the site reports it; undefined where the gateway's own counts say it. */
  observation: Observation | undefined;
  /** The index cell, and the record's offset in its block: where a hold need not look for them again. */
  cell: string;
  offset: number;
}

/** What callers are told of a site that was found. */
export function candidateOf({ cell, block, index, distanceM, profile }: Found, query: NearestQuery): Candidate {
  const { region } = cell.region;
  const fitting = profile.fitting(query);
  let classes: CandidateClass[] | undefined;
  for (const place of profile.order) {
    const free = (fitting & (1 << place)) === 0 ? 0 : block.freePlaces(index, place);
    if (free === 0) continue;
    // Most have one, and what is pushed into an empty list makes room for sixteen more.
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
