import { formatSiteId, type Region } from "@petak/protocol";
import { type DecodedBlock, freeAt, observationAt, positionAt, surelyBeyond } from "../block/decoded-block.ts";
import { recordBytes } from "../block/record.ts";
import { isKnownAt } from "../capacity/observation.ts";
import { greatCircleM } from "../geo/great-circle.ts";
import type { Best } from "./best.ts";
import type { CandidateClass } from "./candidate.ts";
import type { FlagFilter, NearestQuery } from "./query.ts";

/** What does not change from block to block of a query. */
export interface ScanContext {
  query: NearestQuery;
  /** The query's origin as a point of a sphere of radius 1. */
  originPoint: readonly [x: number, y: number, z: number];
  filter: FlagFilter;
  /** Operator numbers allowed; undefined: all. */
  allowedOperators: ReadonlySet<number> | undefined;
  /** Operator numbers refused. */
  excludedOperators: ReadonlySet<number>;
  /** The classes of a profile that would do, smallest first; undefined where the profile is not known yet. */
  fitting(region: Region, profileNumber: number): readonly number[] | undefined;
  /** Countries allowed, as records have them; undefined: all. */
  countries: ReadonlySet<number> | undefined;
  /** Whether a site with these opening hours is open as asked; undefined where they are not known yet. Left out: any hours will do. */
  isOpen: ((region: Region, hoursNumber: number) => boolean | undefined) | undefined;
}

/**
 * Offers every site of a block that satisfies the query. Returns false where a profile or opening hours are not known yet: nothing may be
 * concluded.
 *
 * What costs next to nothing and what most sites fail is looked at first; country and hours only of a site that would be offered otherwise.
 */
export function scanBlock(context: ScanContext, region: Region, cell: string, block: DecodedBlock, best: Best): boolean {
  const { query, filter, allowedOperators, excludedOperators, originPoint } = context;
  const { bytes, count, flags, operatorNumbers, profileNumbers, points } = block;
  const [x, y, z] = originPoint;
  let beyond = surelyBeyond(best.reachM());
  for (let index = 0; index < count; index++) {
    if (((flags[index] as number) & filter.mask) !== filter.value) continue;
    const at = 3 * index;
    const [dx, dy, dz] = [(points[at] as number) - x, (points[at + 1] as number) - y, (points[at + 2] as number) - z];
    if (dx * dx + dy * dy + dz * dz > beyond) continue;
    const operatorNumber = operatorNumbers[index] as number;
    if (allowedOperators?.has(operatorNumber) === false || excludedOperators.has(operatorNumber)) continue;
    const fitting = context.fitting(region, profileNumbers[index] as number);
    if (fitting === undefined) return false;
    const offset = index * recordBytes;
    if (!fitting.some((classIndex) => freeAt(bytes, offset, classIndex) > 0)) continue;
    const position = positionAt(bytes, offset);
    const distanceM = greatCircleM(query.origin, position);
    if (distanceM > best.reachM()) continue;
    if (context.countries?.has(block.countries[index] as number) === false) continue;
    // Most sites do not report, and are looked at no further here.
    const observation = block.observedAtS[index] === 0 ? undefined : observationAt(bytes, offset);
    if (observation !== undefined && query.knownAtMs !== undefined && !isKnownAt(observation, query.knownAtMs)) continue;
    if (context.isOpen !== undefined) {
      const isOpen = context.isOpen(region, block.openingHours[index] as number);
      if (isOpen === undefined) return false;
      if (!isOpen) continue;
    }
    const siteNumber = bytes.readUInt32LE(offset);
    best.offer({
      siteId: formatSiteId(region, siteNumber),
      region,
      siteNumber,
      position,
      distanceM,
      revision: bytes.readUInt32LE(offset + 12),
      classes: freeClasses(bytes, offset, fitting),
      observation,
      cell,
      offset,
    });
    beyond = surelyBeyond(best.reachM());
  }
  return true;
}

function freeClasses(bytes: Buffer, offset: number, fitting: readonly number[]): CandidateClass[] {
  const classes: CandidateClass[] = [];
  for (const index of fitting) {
    const free = freeAt(bytes, offset, index);
    if (free > 0) classes.push({ index, free });
  }
  return classes;
}
