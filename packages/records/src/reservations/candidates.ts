import { create } from "@bufbuild/protobuf";
import { EventSchema, parseSiteId, type Region, ReservationSchema, type Site } from "@petak/protocol";
import type { SiteIds } from "@petak/redis";
import type { GrowingBytes } from "../bytes/growing-bytes.ts";
import { storedBytes } from "../bytes/stored-bytes.ts";
import { cellOf } from "../sites/site-record.ts";
import type { StoredSite } from "../sites/site-store.ts";
import { termsNumberText } from "./reservation-record.ts";

/** A size class at which a hold may be taken. */
export interface HoldClass {
  /** Its index among the site's size classes. */
  index: number;
  sizeClassId: string;
  /** Needed for a hard hold: the ids of its compartments, best first. */
  compartmentIds?: readonly string[];
}

/** Terms on which a hold is taken: their id, and their number in the records. */
export interface HoldTerms {
  readonly termsId: string;
  readonly termsNumber: number;
}

/** No terms: what a reservation that is made without any has. */
export const noTerms: HoldTerms = { termsId: "", termsNumber: 0 };

/** A site at which a hold may be taken. */
export interface HoldCandidate {
  siteId: string;
  region: Region;
  siteNumber: number;
  operatorId: string;
  /** The terms in force there. Default: the store's first. */
  terms?: HoldTerms;
  /** Revision, cell and offset under which the caller saw it; offset -1 where it did not see its record. */
  revision: number;
  cell: string;
  offset: number;
  /** The size classes that would do, best first. */
  classes: readonly HoldClass[];
}

/** A site as it is stored, as a candidate on some terms: nobody has seen its record. */
export function storedCandidate(stored: StoredSite, classes: readonly HoldClass[], terms: HoldTerms = noTerms): HoldCandidate {
  const { siteId, operatorId, revision } = stored.site;
  const id = parseSiteId(siteId);
  if (id === undefined) throw new TypeError(`a stored site with the id ${JSON.stringify(siteId)}`);
  return { siteId, ...id, operatorId, terms, revision, cell: cellOf(stored), offset: -1, classes };
}

/** A size class of a site for a hold, with its compartments where the hold is hard. */
export function holdClass({ sizeClasses, compartments }: Site, index: number, isHard: boolean): HoldClass {
  const sizeClassId = sizeClasses[index]?.sizeClassId ?? "";
  if (!isHard) return { index, sizeClassId };
  const ofClass = compartments.filter((compartment) => compartment.sizeClassId === sizeClassId);
  // The last first: agents give soft holds the first that is empty, so that the two seldom want the same door.
  return { index, sizeClassId, compartmentIds: ofClass.map(({ compartmentId }) => compartmentId).reverse() };
}

/** The cells in which candidates are filed, each once, in the order of their numbers in what is written of them, from 1. */
export class CandidateCells {
  readonly cells: string[] = [];

  /** The number of a cell, from 1. */
  numberOf(cell: string): number {
    const index = this.cells.indexOf(cell);
    if (index >= 0) return index + 1;
    // The number has eight bits.
    if (this.cells.length === cellsMax) throw new RangeError(`candidates in more than ${cellsMax} cells`);
    return this.cells.push(cell);
  }
}

/** Cells that candidates of one script may lie in. */
export const cellsMax = 255;

/**
 * Writes candidates of one region as lua/reserve.lua and lua/hold-many.lua read them. Each brings what its site adds to the reservation and to
 * the event, and where the hold is hard, the ids of its compartments.
 */
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
    bytes.bytes(siteRest({ siteId, region, operatorId, termsNumber: terms.termsNumber }, siteIds));
    writeClasses(bytes, classes, isHard);
  }
}

/** Size classes with what each adds to the reservation, and where the hold is hard, the ids of its compartments. */
export function writeClasses(bytes: GrowingBytes, classes: readonly HoldClass[], isHard: boolean): void {
  for (const { index, sizeClassId, compartmentIds = [] } of classes) {
    bytes.u8(index);
    bytes.bytes(classRest(sizeClassId));
    if (isHard) bytes.afterLength16(() => writeCompartments(bytes, compartmentIds));
  }
}

/** Ids of compartments, each after a byte of its length. */
function writeCompartments(bytes: GrowingBytes, compartmentIds: readonly string[]): void {
  for (const id of compartmentIds) bytes.bytes(withLength(Buffer.from(id)));
}

/** What is kept of encoded parts before they are made anew: a few MB. */
const keptMax = 20_000;

/**
 * What a site of an operator, on its terms, adds to a reservation and to an event, each after its length. Networks of tests may share a process and a store
 * code, so that an id may come with another operator.
 */
const siteRests = new Map<string, { operatorId: string; termsNumber: number; rest: Buffer }>();

/** What a size class adds to a reservation, after its length. */
const classRests = new Map<string, Buffer>();

/** What a reservation and an event have of their site. */
export interface SiteFacts {
  siteId: string;
  region: Region;
  operatorId: string;
  termsNumber: number;
}

/** What a site adds to a reservation and to an event, each after its length. */
export function siteRest({ siteId, region, operatorId, termsNumber }: SiteFacts, siteIds: SiteIds): Buffer {
  const known = siteRests.get(siteId);
  if (known?.operatorId === operatorId && known.termsNumber === termsNumber) return known.rest;
  // A hold lies in the region of its site, and so does its event.
  const site = { siteId: siteIds.shorten(siteId, region), operatorId };
  const rest = Buffer.concat([
    withLength(storedBytes(ReservationSchema, create(ReservationSchema, { ...site, termsId: termsNumberText(termsNumber) }))),
    withLength(storedBytes(EventSchema, create(EventSchema, site))),
  ]);
  keep(siteRests, siteId, { operatorId, termsNumber, rest });
  return rest;
}

function classRest(sizeClassId: string): Buffer {
  const known = classRests.get(sizeClassId);
  if (known !== undefined) return known;
  const rest = withLength(storedBytes(ReservationSchema, create(ReservationSchema, { sizeClassId })));
  keep(classRests, sizeClassId, rest);
  return rest;
}

function keep<Rest>(rests: Map<string, Rest>, name: string, rest: Rest): void {
  if (rests.size >= keptMax) rests.clear();
  rests.set(name, rest);
}

function withLength(bytes: Buffer): Buffer {
  if (bytes.length > 0xff) throw new RangeError(`${bytes.length} bytes of ids, at most 255`);
  return Buffer.concat([Buffer.of(bytes.length), bytes]);
}
