import { formatSiteId, type Region } from "@petak/protocol";
import { freeOffset, recordBytes } from "../block/record.ts";
import { greatCircleM } from "../geo/great-circle.ts";
import { unitsPerDegree } from "../geo/position.ts";
import type { Best } from "./best.ts";
import type { CandidateClass } from "./candidate.ts";
import type { FlagFilter, NearestQuery } from "./query.ts";

/** What does not change from block to block of a query. */
export interface ScanContext {
  query: NearestQuery;
  filter: FlagFilter;
  /** Operator numbers allowed; undefined: all. */
  allowedOperators: ReadonlySet<number> | undefined;
  /** Operator numbers refused. */
  excludedOperators: ReadonlySet<number>;
  /** The classes of a profile that the parcel fits, smallest first; undefined where the profile is not known yet. */
  fitting(region: Region, profileNumber: number): readonly number[] | undefined;
}

/** Offers every site of a block that satisfies the query. Returns false where a profile is not known yet: nothing may be concluded. */
export function scanBlock(context: ScanContext, region: Region, cell: string, block: Buffer, best: Best): boolean {
  const { query, filter } = context;
  for (let offset = 0; offset + recordBytes <= block.length; offset += recordBytes) {
    if ((block.readUInt32LE(offset + 16) & filter.mask) !== filter.value) continue;
    const operatorNumber = block.readUInt16LE(offset + 20);
    if (context.allowedOperators?.has(operatorNumber) === false || context.excludedOperators.has(operatorNumber)) continue;
    const fitting = context.fitting(region, block.readUInt16LE(offset + 22));
    if (fitting === undefined) return false;
    const classes: CandidateClass[] = [];
    for (const index of fitting) {
      const free = block[offset + freeOffset + index] ?? 0;
      if (free > 0) classes.push({ index, free });
    }
    if (classes.length === 0) continue;
    const position = {
      latitude: block.readInt32LE(offset + 4) / unitsPerDegree,
      longitude: block.readInt32LE(offset + 8) / unitsPerDegree,
    };
    const distanceM = greatCircleM(query.origin, position);
    if (distanceM > best.reachM()) continue;
    const siteNumber = block.readUInt32LE(offset);
    best.offer({
      siteId: formatSiteId(region, siteNumber),
      region,
      siteNumber,
      position,
      distanceM,
      revision: block.readUInt32LE(offset + 12),
      classes,
      cell,
      offset,
    });
  }
  return true;
}
