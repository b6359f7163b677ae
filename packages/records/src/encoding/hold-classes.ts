import { create } from "@bufbuild/protobuf";
import { EventSchema, type Region, ReservationSchema, type Site } from "@petak/protocol";
import type { SiteIds } from "@petak/redis";
import type { GrowingBytes } from "./growing-bytes.ts";
import { termsNumberText } from "./short-ids.ts";
import { storedBytes } from "./stored-bytes.ts";

/** A size class at which a hold may be taken. */
export interface HoldClass {
  /** Its index among the site's size classes. */
  index: number;
  sizeClassId: string;
  /** The ids of its compartments, best first. Required for a hard hold. */
  compartmentIds?: readonly string[];
}

/** A size class of a site for a hold, with its compartments if the hold is hard. */
export function holdClass({ sizeClasses, compartments }: Site, index: number, isHard: boolean): HoldClass {
  const sizeClassId = sizeClasses[index]?.sizeClassId ?? "";
  if (!isHard) return { index, sizeClassId };
  const ofClass = compartments.filter((compartment) => compartment.sizeClassId === sizeClassId);
  // In reverse order: agents use the first empty compartment for a soft hold, so the two kinds of hold seldom want the same door.
  return { index, sizeClassId, compartmentIds: ofClass.map(({ compartmentId }) => compartmentId).reverse() };
}

/** Writes size classes: for each its index, its part of the reservation, and for a hard hold the ids of its compartments. */
export function writeClasses(bytes: GrowingBytes, classes: readonly HoldClass[], isHard: boolean): void {
  for (const { index, sizeClassId, compartmentIds = [] } of classes) {
    bytes.u8(index);
    bytes.bytes(classPart(sizeClassId));
    if (isHard) bytes.afterLength16(() => writeCompartments(bytes, compartmentIds));
  }
}

/** Writes ids of compartments, each after its length as u8. */
function writeCompartments(bytes: GrowingBytes, compartmentIds: readonly string[]): void {
  for (const id of compartmentIds) bytes.bytes(withLength(Buffer.from(id)));
}

/** The fields of a reservation and its event that depend on the site. */
export interface SiteFacts {
  siteId: string;
  region: Region;
  operatorId: string;
  termsNumber: number;
  /** The revision of its facts. */
  revision: number;
}

/** Encoded parts that are kept in memory: a few MB. */
const cachedPartsMax = 20_000;

/**
 * Encoded parts by site id. Operator, terms and revision are compared as well: networks of tests may share a process and a store code, so an id may come with
 * another operator.
 */
const siteParts = new Map<string, { operatorId: string; termsNumber: number; revision: number; part: Buffer }>();

const classParts = new Map<string, Buffer>();

/** The site's part of the reservation and the site's part of the event, each after its length as u8. */
export function sitePart({ siteId, region, operatorId, termsNumber, revision }: SiteFacts, siteIds: SiteIds): Buffer {
  const cached = siteParts.get(siteId);
  if (cached?.operatorId === operatorId && cached.termsNumber === termsNumber && cached.revision === revision) return cached.part;
  // Reservation and event are stored in the region of their site, so the site's id can be shortened.
  const site = { siteId: siteIds.shorten(siteId, region), operatorId };
  const part = Buffer.concat([
    withLength(
      storedBytes(ReservationSchema, create(ReservationSchema, { ...site, termsId: termsNumberText(termsNumber), siteRevision: revision })),
    ),
    withLength(storedBytes(EventSchema, create(EventSchema, site))),
  ]);
  cache(siteParts, siteId, { operatorId, termsNumber, revision, part });
  return part;
}

/** A size class's part of the reservation, after its length as u8. */
function classPart(sizeClassId: string): Buffer {
  const cached = classParts.get(sizeClassId);
  if (cached !== undefined) return cached;
  const part = withLength(storedBytes(ReservationSchema, create(ReservationSchema, { sizeClassId })));
  cache(classParts, sizeClassId, part);
  return part;
}

function cache<Part>(parts: Map<string, Part>, name: string, part: Part): void {
  if (parts.size >= cachedPartsMax) parts.clear();
  parts.set(name, part);
}

function withLength(bytes: Buffer): Buffer {
  if (bytes.length > 0xff) throw new RangeError(`${bytes.length} bytes of ids, at most 255`);
  return Buffer.concat([Buffer.of(bytes.length), bytes]);
}
