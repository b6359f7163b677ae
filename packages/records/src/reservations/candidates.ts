import { parseSiteId, type Region } from "@petak/protocol";
import type { SiteIds } from "@petak/redis";
import type { GrowingBytes } from "../encoding/growing-bytes.ts";
import { type HoldClass, sitePart, writeClasses } from "../encoding/hold-classes.ts";
import { type HoldTerms, noTerms } from "../encoding/short-ids.ts";
import { cellOf } from "../sites/site-record.ts";
import type { StoredSite } from "../sites/site-store.ts";

/** A site at which a hold may be taken. */
export interface HoldCandidate {
  siteId: string;
  region: Region;
  siteNumber: number;
  operatorId: string;
  /** The terms in force at the site. Default: the store's first terms. */
  terms?: HoldTerms;
  /** The revision of the site's facts, its index cell and its offset in the cell's block, as the caller read them. Offset -1: not known. */
  revision: number;
  cell: string;
  offset: number;
  /** The size classes that fit, best first. */
  classes: readonly HoldClass[];
}

/** The candidate for a site that was read from the store and not from the index. */
export function storedCandidate(stored: StoredSite, classes: readonly HoldClass[], terms: HoldTerms = noTerms): HoldCandidate {
  const { siteId, operatorId, revision } = stored.site;
  const id = parseSiteId(siteId);
  if (id === undefined) throw new TypeError(`a stored site has the invalid id ${JSON.stringify(siteId)}`);
  return { siteId, ...id, operatorId, terms, revision, cell: cellOf(stored), offset: -1, classes };
}

/** The distinct cells of a script's candidates, numbered from 1 in the order in which they were added. */
export class CandidateCells {
  readonly cells: string[] = [];

  /** The number of a cell, which is added if it is new. */
  numberOf(cell: string): number {
    const index = this.cells.indexOf(cell);
    if (index >= 0) return index + 1;
    if (this.cells.length === cellsMax) throw new RangeError(`candidates in more than ${cellsMax} cells`);
    return this.cells.push(cell);
  }
}

/** The most cells of one script: the number of a cell is written as u8. */
export const cellsMax = 255;

/** Writes candidates of one region in the form that lua/reserve.lua and lua/hold-many.lua read. */
export function writeCandidates(
  bytes: GrowingBytes,
  cells: CandidateCells,
  candidates: readonly HoldCandidate[],
  { isHard, siteIds }: { isHard: boolean; siteIds: SiteIds },
): void {
  for (const { siteId, region, siteNumber, operatorId, terms = noTerms, revision, cell, offset, classes } of candidates) {
    bytes.u32(offset < 0 ? 0xffffffff : offset);
    bytes.u32(siteNumber);
    bytes.u32(revision);
    bytes.u8(cells.numberOf(cell));
    bytes.u8(classes.length);
    bytes.bytes(sitePart({ siteId, region, operatorId, termsNumber: terms.termsNumber, revision }, siteIds));
    writeClasses(bytes, classes, isHard);
  }
}
