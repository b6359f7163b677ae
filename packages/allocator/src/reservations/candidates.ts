import { create } from "@bufbuild/protobuf";
import { compileEncoder, EventSchema, parseSiteId, type Region, ReservationSchema } from "@petak/protocol";
import { encodeEvent } from "../events/event-bytes.ts";
import type { StoredSite } from "../sites/site-store.ts";

/** A size class at which a hold may be taken. */
export interface HoldClass {
  /** Its index among the site's size classes. */
  index: number;
  sizeClassId: string;
  /** Needed for a hard hold: the ids of its compartments, best first. */
  compartmentIds?: readonly string[];
}

/** A site at which a hold may be taken. */
export interface HoldCandidate {
  siteId: string;
  region: Region;
  siteNumber: number;
  operatorId: string;
  /** Revision, cell and offset under which the caller saw it; offset -1 where it did not see its record. */
  revision: number;
  cell: string;
  offset: number;
  /** The size classes that would do, best first. */
  classes: readonly HoldClass[];
}

/** A site as it is stored, as a candidate: nobody has seen its record. */
export function storedCandidate({ site, cell }: StoredSite, classes: readonly HoldClass[]): HoldCandidate {
  const { siteId, operatorId, revision } = site;
  const id = parseSiteId(siteId);
  if (id === undefined) throw new TypeError(`a stored site with the id ${JSON.stringify(siteId)}`);
  return { siteId, ...id, operatorId, revision, cell, offset: -1, classes };
}

/** Candidates as lua/reserve.lua reads them. */
export interface EncodedCandidates {
  /** The cells in which they are filed, each once, in the order of their numbers in `bytes`, from 1. */
  cells: readonly string[];
  bytes: Buffer;
}

/** A cell's number and a length have eight bits each. */
const mostCells = 255;

const encodeReservation = compileEncoder(ReservationSchema);

/**
 * Writes candidates of one region. Each brings what its site adds to the reservation and to the event, and where the hold is hard, the ids of
 * its compartments.
 */
export function encodeCandidates(candidates: readonly HoldCandidate[], isHard: boolean): EncodedCandidates {
  const cells: string[] = [];
  const parts: Buffer[] = [];
  for (const { siteId, siteNumber, operatorId, revision, cell, offset, classes } of candidates) {
    let cellIndex = cells.indexOf(cell);
    if (cellIndex < 0) {
      if (cells.length === mostCells) throw new RangeError(`candidates in more than ${mostCells} cells`);
      cellIndex = cells.push(cell) - 1;
    }
    const head = Buffer.allocUnsafe(14);
    head.writeUInt32LE(offset < 0 ? 0xffffffff : offset, 0);
    head.writeUInt32LE(siteNumber, 4);
    head.writeUInt32LE(revision, 8);
    head[12] = cellIndex + 1;
    head[13] = classes.length;
    const rest = siteRest(siteId, operatorId);
    parts.push(head, rest);
    for (const { index, sizeClassId, compartmentIds = [] } of classes) {
      parts.push(Buffer.of(index), classRest(sizeClassId));
      if (isHard) parts.push(encodeCompartments(compartmentIds));
    }
  }
  return { cells, bytes: Buffer.concat(parts) };
}

/** Ids of compartments after u16 of how many bytes they take, each after a byte of its length. */
function encodeCompartments(compartmentIds: readonly string[]): Buffer {
  const ids = Buffer.concat(compartmentIds.map((id) => withLength(Buffer.from(id))));
  const length = Buffer.allocUnsafe(2);
  length.writeUInt16LE(ids.length);
  return Buffer.concat([length, ids]);
}

/** What is kept of encoded parts before they are made anew: a few MB. */
const keptMax = 20_000;

const siteRests = new Map<string, Buffer>();
const classRests = new Map<string, Buffer>();

/** What a site adds to a reservation and to an event, each after its length. */
function siteRest(siteId: string, operatorId: string): Buffer {
  return kept(siteRests, `${siteId} ${operatorId}`, () =>
    Buffer.concat([
      withLength(encodeReservation(create(ReservationSchema, { siteId, operatorId }))),
      withLength(encodeEvent(create(EventSchema, { siteId, operatorId }))),
    ]),
  );
}

/** What a size class adds to a reservation, after its length. */
function classRest(sizeClassId: string): Buffer {
  return kept(classRests, sizeClassId, () => withLength(encodeReservation(create(ReservationSchema, { sizeClassId }))));
}

function kept(rests: Map<string, Buffer>, name: string, make: () => Buffer): Buffer {
  let rest = rests.get(name);
  if (rest === undefined) {
    if (rests.size >= keptMax) rests.clear();
    rest = make();
    rests.set(name, rest);
  }
  return rest;
}

function withLength(bytes: Buffer): Buffer {
  if (bytes.length > 0xff) throw new RangeError(`${bytes.length} bytes of ids, at most 255`);
  return Buffer.concat([Buffer.of(bytes.length), bytes]);
}
