import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { SiteQuery } from "@petak/allocator";
import { ReservationSchema } from "@petak/protocol";
import type { SiteIds } from "@petak/redis";
import { GrowingBytes } from "../bytes/growing-bytes.ts";
import { type HoldClass, type HoldTerms, siteRest, writeClasses } from "../reservations/candidates.ts";

/** A site at which a reservation waits, and what it would take there. */
export interface WaitingPlace {
  siteId: string;
  region: string;
  siteNumber: number;
  operatorId: string;
  /** The terms in force there. */
  terms: HoldTerms;
  /** The size classes that would do, best first. Empty: none at the moment. */
  classes: readonly HoldClass[];
}

/** What a reservation waits for. */
export interface WaitingFacts {
  /** Whose share of the queues it takes. */
  sharer: string;
  /** For how long a place is held when one comes free, in ms. */
  holdMs: number;
  /** Whether a place of which it is not known whether it is free will do. */
  takesUnknown: boolean;
  /** What is asked of a site, so that it can be judged again when its facts have changed. */
  query: SiteQuery;
  /** The event of its promotion, encoded, but for site, times and revision. */
  event: Uint8Array;
  places: readonly WaitingPlace[];
}

/** What is read of an entry. */
export interface WaitingEntry {
  /** When it came to wait, in µs since 1970. */
  rank: number;
  query: SiteQuery;
  /** The numbers of the sites, and the indexes of the size classes that would do at each. */
  places: { siteNumber: number; classIndexes: number[] }[];
}

const takesUnknownFlag = 1;
const takesNamedFlag = 2;

/** That a reservation has the terms of number 0, said where the message to which it is added may have others: those of the site first waited for. */
const firstTerms = Buffer.from(
  new BinaryWriter().tag(ReservationSchema.field.termsId.number, WireType.LengthDelimited).string("").finish(),
);

/** An entry as lua/includes/queue.lua reads it, but for its rank, which is given when it is written. */
export function encodeWaiting({ sharer, holdMs, takesUnknown, query, event, places }: WaitingFacts, siteIds: SiteIds): Buffer {
  const { isHard = false } = query;
  const bytes = new GrowingBytes();
  bytes.u8((takesUnknown ? takesUnknownFlag : 0) + (isHard ? takesNamedFlag : 0));
  bytes.u32(holdMs);
  bytes.u8(sharer.length);
  bytes.latin1(sharer);
  bytes.afterLength16(() => bytes.bytes(event));
  bytes.afterLength16(() => bytes.bytes(encodeQuery(query)));
  bytes.u8(places.length);
  for (const place of places) writePlace(bytes, place, isHard, siteIds);
  return bytes.copy();
}

/** The size classes of one place of an entry, after their number. */
export function writePlaceClasses(bytes: GrowingBytes, classes: readonly HoldClass[], isHard: boolean): void {
  bytes.u8(classes.length);
  writeClasses(bytes, classes, isHard);
}

/** Reads as much of an entry as is not for scripts alone. */
export function decodeWaiting(entry: Buffer): WaitingEntry {
  const rank = entry.readDoubleLE(0);
  const isHard = ((entry[8] as number) & takesNamedFlag) !== 0;
  let at = 13;
  const skip8 = () => {
    at += 1 + (entry[at] as number);
  };
  skip8();
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
    const classes = entry[at++] as number;
    while (classIndexes.length < classes) {
      classIndexes.push(entry[at++] as number);
      skip8();
      if (isHard) at += 2 + entry.readUInt16LE(at);
    }
    places.push({ siteNumber, classIndexes });
  }
  return { rank, query, places };
}

/** What is asked, as JSON: it is read again only when a site's facts change. When it was asked is left out, for by then it is another time. */
function encodeQuery({ knownAtMs: _knownAtMs, parcel, ...query }: SiteQuery): Buffer {
  const { widthMm, heightMm, depthMm, massG } = parcel;
  return Buffer.from(JSON.stringify({ ...query, parcel: { widthMm, heightMm, depthMm, massG } }));
}

function writePlace(bytes: GrowingBytes, place: WaitingPlace, isHard: boolean, siteIds: SiteIds): void {
  const { siteNumber, terms, classes } = place;
  const { termsNumber } = terms;
  const rest = siteRest({ ...place, termsNumber }, siteIds);
  const reservationEnd = 1 + (rest[0] as number);
  const explicit = termsNumber === 0 ? firstTerms : Buffer.alloc(0);
  bytes.u32(siteNumber);
  bytes.u8(reservationEnd - 1 + explicit.length);
  bytes.bytes(rest.subarray(1, reservationEnd));
  bytes.bytes(explicit);
  bytes.bytes(rest.subarray(reservationEnd));
  writePlaceClasses(bytes, classes, isHard);
}
