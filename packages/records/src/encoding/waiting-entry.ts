import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { SiteQuery } from "@petak/allocator";
import { ReservationSchema } from "@petak/protocol";
import type { SiteIds } from "@petak/redis";
import { GrowingBytes } from "./growing-bytes.ts";
import { type HoldClass, sitePart, writeClasses } from "./hold-classes.ts";
import { type HoldLimits, holdLimitsBytes, writeHoldLimits } from "./hold-limits.ts";
import type { HoldTerms } from "./short-ids.ts";

/** A site at which a reservation is queued, and the size classes that it would take there. */
export interface WaitingPlace {
  siteId: string;
  region: string;
  siteNumber: number;
  operatorId: string;
  /** The terms in force at the site. */
  terms: HoldTerms;
  /** The revision of the site's facts. */
  revision: number;
  /** The size classes that fit, best first. Empty: none fits at the moment. */
  classes: readonly HoldClass[];
}

/** The content of a queue entry. */
export interface WaitingFacts {
  /** Names whose share of the queues the reservation counts for. */
  sharer: string;
  /** The limits on the participant's unconfirmed holds. Undefined: none. */
  limits?: Readonly<HoldLimits> | undefined;
  /** How long a place is held after the promotion, in ms. */
  holdMs: number;
  /** Whether the reservation takes a place whose availability is unknown. */
  takesUnknown: boolean;
  /** The requirements on a site, so that a site can be checked again when its facts have changed. */
  query: SiteQuery;
  /** The encoded event of the promotion, without site, times and revision. */
  event: Uint8Array;
  places: readonly WaitingPlace[];
}

/** The parts of a queue entry that are not for scripts only. */
export interface WaitingEntry {
  /** When the reservation was queued, in µs since 1970. */
  rank: number;
  query: SiteQuery;
  /** The numbers of the sites, and the indexes of the size classes that fit at each. `isCancelled`: its operator has ended the waiting there, for good. */
  places: { siteNumber: number; classIndexes: number[]; isCancelled: boolean }[];
}

/** Stands for the number of size classes of a place at which the operator has ended the waiting. lua/includes/queue.lua has the same. */
const cancelledMark = 255;

const takesUnknownFlag = 1;
const takesNamedFlag = 2;
const hasLimitsFlag = 4;

/**
 * The encoded field for terms number 0. A site's part leaves it out, but the message to which it is appended may have the terms of the first site, which
 * must be overridden.
 */
const firstTerms = Buffer.from(
  new BinaryWriter().tag(ReservationSchema.field.termsId.number, WireType.LengthDelimited).string("").finish(),
);

/** Encodes a queue entry for lua/includes/queue.lua, without its rank: the script assigns it. */
export function encodeWaiting({ sharer, limits, holdMs, takesUnknown, query, event, places }: WaitingFacts, siteIds: SiteIds): Buffer {
  const { isHard = false } = query;
  const bytes = new GrowingBytes();
  bytes.u8((takesUnknown ? takesUnknownFlag : 0) + (isHard ? takesNamedFlag : 0) + (limits === undefined ? 0 : hasLimitsFlag));
  bytes.u32(holdMs);
  bytes.u8(sharer.length);
  bytes.latin1(sharer);
  if (limits !== undefined) writeHoldLimits(bytes, limits);
  bytes.afterLength16(() => bytes.bytes(event));
  bytes.afterLength16(() => bytes.bytes(encodeQuery(query)));
  bytes.u8(places.length);
  for (const place of places) writePlace(bytes, place, isHard, siteIds);
  return bytes.copy();
}

/** Writes the size classes of one place of an entry, after their count as u8. `cancelled`: the reservation waits there no more. */
export function writePlaceClasses(bytes: GrowingBytes, classes: readonly HoldClass[] | "cancelled", isHard: boolean): void {
  if (classes === "cancelled") {
    bytes.u8(cancelledMark);
    return;
  }
  bytes.u8(classes.length);
  writeClasses(bytes, classes, isHard);
}

/** Decodes a queue entry. */
export function decodeWaiting(entry: Buffer): WaitingEntry {
  const rank = entry.readDoubleLE(0);
  const isHard = ((entry[8] as number) & takesNamedFlag) !== 0;
  let at = 13;
  const skip8 = () => {
    at += 1 + (entry[at] as number);
  };
  skip8();
  if (((entry[8] as number) & hasLimitsFlag) !== 0) at += holdLimitsBytes;
  at += 2 + entry.readUInt16LE(at);
  const queryBytes = entry.readUInt16LE(at);
  const query = JSON.parse(entry.toString("utf8", at + 2, at + 2 + queryBytes)) as SiteQuery;
  at += 2 + queryBytes;
  const places: WaitingEntry["places"] = [];
  const count = entry[at++] as number;
  while (places.length < count) {
    const siteNumber = entry.readUInt32LE(at);
    at += 4;
    skip8();
    skip8();
    const classIndexes: number[] = [];
    const mark = entry[at++] as number;
    const isCancelled = mark === cancelledMark;
    const classes = isCancelled ? 0 : mark;
    while (classIndexes.length < classes) {
      classIndexes.push(entry[at++] as number);
      skip8();
      if (isHard) at += 2 + entry.readUInt16LE(at);
    }
    places.push({ siteNumber, classIndexes, isCancelled });
  }
  return { rank, query, places };
}

/** Encodes a query as JSON: it is read only when a site's facts change. The time of the query is left out, since it will be outdated then. */
function encodeQuery({ knownAtMs: _knownAtMs, parcel, ...query }: SiteQuery): Buffer {
  const { widthMm, heightMm, depthMm, massG } = parcel;
  return Buffer.from(JSON.stringify({ ...query, parcel: { widthMm, heightMm, depthMm, massG } }));
}

function writePlace(bytes: GrowingBytes, place: WaitingPlace, isHard: boolean, siteIds: SiteIds): void {
  const { siteNumber, terms, classes } = place;
  const { termsNumber } = terms;
  const part = sitePart({ ...place, termsNumber }, siteIds);
  const reservationEnd = 1 + (part[0] as number);
  const explicit = termsNumber === 0 ? firstTerms : Buffer.alloc(0);
  bytes.u32(siteNumber);
  bytes.u8(reservationEnd - 1 + explicit.length);
  bytes.bytes(part.subarray(1, reservationEnd));
  bytes.bytes(explicit);
  bytes.bytes(part.subarray(reservationEnd));
  writePlaceClasses(bytes, classes, isHard);
}
