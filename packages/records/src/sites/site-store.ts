import { create, equals } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  cellNumberInRegion,
  encodeOpeningTimes,
  encodeRecord,
  encodeSizeProfile,
  indexCellOf,
  isAlwaysOpen,
  openingTimes,
  quantise,
  regionOfCell,
  siteFlags,
} from "@petak/allocator";
import {
  type Compartment,
  invalidField,
  PetakError,
  parseSiteId,
  type Region,
  type Site,
  SiteLifecycle,
  SiteSchema,
} from "@petak/protocol";
import type { Keys, RedisConnection, SiteIds } from "@petak/redis";
import { notifyKeysTouched } from "@petak/redis";
import { createScript } from "../lua/create-script.ts";
import { refittedPlaces } from "./refitted-places.ts";
import { decodeSiteCounts, type SiteCounts } from "./site-counts.ts";
import { cellOf, decodeSiteRecord, encodeSiteRecord, type FiledSite, type SiteRecord, siteRecordHead } from "./site-record.ts";

/** A stored site with its counts. */
export type StoredSite = FiledSite & SiteCounts;

/** The result of writing a site. */
export interface PutOutcome {
  siteId: string;
  outcome: "created" | "updated" | "unchanged";
  revision: number;
}

/** The sites of the store. */
export interface SiteStore {
  /** One site, or undefined. */
  find(siteId: string): Promise<StoredSite | undefined>;
  /**
   * A site without its counts, in one round trip. If the site moves in the index afterwards, scripts refuse and the caller reads it again. Callers share the
   * returned object and must not change it.
   */
  filed(siteId: string): Promise<FiledSite | undefined>;
  /** Several sites, in the same order. */
  findAll(siteIds: readonly string[]): Promise<(StoredSite | undefined)[]>;
  /** The facts of several sites, in the same order, in one round trip. */
  facts(siteIds: readonly string[]): Promise<(Site | undefined)[]>;
  /** A number that grows whenever the data changes that the site's agent synchronizes. */
  allowedVersion(siteId: string): Promise<number>;
  /** The site with an operator's reference, or undefined. */
  findByRef(operatorId: string, operatorSiteRef: string): Promise<StoredSite | undefined>;
  /**
   * Creates a site or changes its facts, and moves it in the index. `site.operatorId` and `site.operatorSiteRef` identify it.
   *
   * @throws {PetakError} SITE_REGION_CHANGED if its position moves to another region; CAPACITY_IN_USE if the change removes places that reservations use;
   *   CONFLICT if it was changed concurrently too often; MODE_MISMATCH if `isTest` changes; INVALID_FIELD if the region has too many different size
   *   profiles or opening hours.
   */
  put(site: Site, nowMs: number): Promise<PutOutcome>;
  /** Removes a site from the index permanently. */
  retire(siteId: string, nowMs: number): Promise<void>;
  /** Throws what {@link put} would throw, without writing anything. Returns the site as it is, or undefined if it would be created. */
  check(site: Site): Promise<StoredSite | undefined>;
}

/** The most attempts at a read or write against concurrent writers of the same site. */
const maxAttempts = 5;

/** Decoded sites that are kept in memory: some tens of MB. */
const decodedMax = 5000;

/** An index record has the operator's number as u16. */
const maxOperatorNumber = 0xffff;

const putScript = createScript("put-site");
const replaceRefScript = createScript("replace-ref");

/** Stores sites in Redis. */
export function createSiteStore(redis: RedisConnection, keys: Keys, siteIds: SiteIds): SiteStore {
  async function readRecord(siteId: string): Promise<SiteRecord | undefined> {
    const id = siteIds.parse(siteId);
    if (id === undefined) return undefined;
    const bytes = await redis.getBuffer(keys.site(id.region, id.siteNumber));
    return bytes === null ? undefined : decodeSiteRecord(siteId, bytes);
  }

  /** Sites as they were last read, with their bytes: transitions read the same sites repeatedly, and decoding is the largest part of the cost. */
  const decoded = new Map<string, { bytes: Buffer; record: SiteRecord }>();

  async function filed(siteId: string): Promise<SiteRecord | undefined> {
    const id = siteIds.parse(siteId);
    if (id === undefined) return undefined;
    const bytes = await redis.getBuffer(keys.site(id.region, id.siteNumber));
    if (bytes === null) return undefined;
    const known = decoded.get(siteId);
    if (known?.bytes.equals(bytes) === true) return known.record;
    const record = decodeSiteRecord(siteId, bytes);
    if (decoded.size >= decodedMax) decoded.clear();
    decoded.set(siteId, { bytes, record });
    return record;
  }

  async function findOne(siteId: string): Promise<StoredSite | undefined> {
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const record = await readRecord(siteId);
      if (record === undefined) return undefined;
      const { region, siteNumber } = siteIds.require(siteId);
      const head = siteRecordHead(record);
      // Counts are listed by the index of a size class, so they must belong to the record that was read. The two are separate keys: they belong together if
      // the record is unchanged after the counts were read.
      const [bytes, headNow] = await Promise.all([
        redis.hgetBuffer(keys.siteCounts(region, record.cell), siteNumberBytes(siteNumber)),
        redis.getrangeBuffer(keys.site(region, siteNumber), 0, head.length - 1),
      ]);
      if (bytes !== null && headNow.equals(head)) return { ...record, ...decodeSiteCounts(bytes) };
    }
    throw conflict(siteId);
  }

  async function findAll(siteIds: readonly string[]): Promise<(StoredSite | undefined)[]> {
    return await Promise.all(siteIds.map(findOne));
  }

  async function find(siteId: string): Promise<StoredSite | undefined> {
    return await findOne(siteId);
  }

  async function findByRef(operatorId: string, operatorSiteRef: string): Promise<StoredSite | undefined> {
    const kept = await redis.hget(keys.operatorSiteRefs(operatorId), operatorSiteRef);
    return kept === null ? undefined : await find(siteIds.lengthen(kept));
  }

  /** The id of the site with a reference, which is assigned if there is none. A crash afterwards leaves at most a number unused. */
  async function claimSiteId(site: Site, region: Region): Promise<string> {
    const refs = keys.operatorSiteRefs(site.operatorId);
    const kept = await redis.hget(refs, site.operatorSiteRef);
    const known = kept === null ? undefined : siteIds.lengthen(kept);
    if (known !== undefined && siteIds.parse(known)?.region === region) return known;
    if (known !== undefined && (await find(known)) !== undefined) throw regionChanged(site, known, region);
    const siteId = siteIds.format(region, await redis.incr(keys.siteCounter(region)));
    const short = siteIds.shorten(siteId);
    const isClaimed =
      kept === null
        ? (await redis.hsetnx(refs, site.operatorSiteRef, short)) === 1
        : (await replaceRefScript(redis, [refs], [site.operatorSiteRef, kept, short]))[0] === "replaced";
    return isClaimed ? siteId : await claimSiteId(site, region);
  }

  async function operatorNumber(operatorId: string): Promise<number> {
    const known = await redis.hget(keys.operatorNumbers(), operatorId);
    if (known !== null) return Number(known);
    const number = await redis.incr(keys.operatorCounter());
    if (number > maxOperatorNumber) throw new RangeError(`more than ${maxOperatorNumber} operators`);
    // If two writers run concurrently, one number wins and the other stays unused.
    await redis.hsetnx(keys.operatorNumbers(), operatorId, number);
    return Number(await redis.hget(keys.operatorNumbers(), operatorId));
  }

  return {
    find,
    filed,
    findAll,
    facts: async (siteIds) => await Promise.all(siteIds.map(async (siteId) => (await readRecord(siteId))?.site)),
    findByRef,
    async allowedVersion(siteId) {
      const { region, siteNumber } = siteIds.require(siteId);
      return Number((await redis.get(keys.siteAllowedVersion(region, siteNumber))) ?? 0);
    },
    async check(site) {
      const before = await findByRef(site.operatorId, site.operatorSiteRef);
      if (before === undefined) return undefined;
      refuseImpossible(before, site);
      await refuseLostInUse(before.site, site);
      return before;
    },
    async put(site, nowMs) {
      const placed = placedSite(site);
      const siteId = await claimSiteId(placed, regionOfCell(indexCellOf(placed.position)));
      const outcome = await write(siteId, nowMs, () => placed);
      const ref = await redis.hget(keys.operatorSiteRefs(placed.operatorId), placed.operatorSiteRef);
      if (ref === siteIds.shorten(siteId)) return outcome;
      // Another writer mistook this claim for one that a crash had left, and gave the reference to a site in another region.
      await write(siteId, nowMs, (stored) => ({ ...(stored ?? placed), lifecycle: SiteLifecycle.DECOMMISSIONED }));
      throw conflict(siteId);
    },
    async retire(siteId, nowMs) {
      await write(siteId, nowMs, (stored) => {
        if (stored === undefined) throw new TypeError(`no site ${siteId}`);
        return { ...stored, lifecycle: SiteLifecycle.DECOMMISSIONED };
      });
    },
  };

  /** Refuses a change that removes compartments with a hard hold or a parcel. */
  async function refuseLostInUse(before: Site, site: Site): Promise<void> {
    const lost = lostCompartments(before, site);
    if (lost.length === 0) return;
    const { region, siteNumber } = siteIds.require(before.siteId);
    const holders = await redis.hmget(keys.siteCompartments(region, siteNumber), ...lost.map(({ compartmentId }) => compartmentId));
    const index = holders.findIndex((holder) => holder !== null);
    if (index >= 0) throw compartmentInUse(before, lost[index]);
  }

  /** Adds a region to a set of regions to search. Done before the site is written, so that no search misses it. */
  async function addTo(setKey: string, region: Region): Promise<void> {
    await redis.sadd(setKey, region);
    // Also if it was there already: another gateway may have just added it, and the invalidation may not have arrived here.
    notifyKeysTouched(redis, [setKey]);
  }

  /** Replaces the stored facts by a function of them, with optimistic concurrency. */
  async function write(siteId: string, nowMs: number, change: (stored: PlacedSite | undefined) => PlacedSite): Promise<PutOutcome> {
    const { region, siteNumber } = siteIds.require(siteId);
    await addTo(keys.regions(), region);
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const before = await find(siteId);
      const placed = change(before === undefined ? undefined : placedSite(before.site));
      if (before !== undefined) {
        refuseImpossible(before, placed);
        if (sameFacts(before.site, placed)) return { siteId, outcome: "unchanged", revision: before.site.revision };
      }
      const revision = before?.site.revision ?? 0;
      const updatedAt = timestampFromMs(nowMs);
      const facts: Site = { ...placed, siteId, revision: revision + 1, updatedAt };
      const cell = indexCellOf(placed.position);
      const oldCell = before === undefined ? cell : cellOf(before);
      const isOffered = placed.lifecycle === SiteLifecycle.ACTIVE;
      const installed = Buffer.alloc(placed.sizeClasses.length * 2);
      placed.sizeClasses.forEach((sizeClass, index) => {
        installed.writeUInt16LE(sizeClass.installed, index * 2);
      });
      const countryCode = placed.address?.countryCode ?? "";
      const [number] = await Promise.all([operatorNumber(placed.operatorId), addTo(keys.countryRegions(countryCode), region)]);
      const times = openingTimes(placed.timeZone, placed.openingHours);
      const record = encodeRecord({
        siteNumber,
        position: placed.position,
        revision: revision + 1,
        flags: siteFlags(placed),
        operatorNumber: number,
        countryCode,
      });
      const lost = before === undefined ? [] : lostCompartments(before.site, placed);
      const refitted = before === undefined ? "" : await refittedPlaces(redis, keys, siteIds, facts);
      const [tag, value] = await putScript(
        redis,
        [
          keys.site(region, siteNumber),
          keys.block(region, cell),
          keys.block(region, oldCell),
          keys.occupiedCells(region),
          keys.profiles(region),
          keys.openingTimes(region),
          keys.siteCounts(region, cell),
          keys.siteCounts(region, oldCell),
          keys.siteCompartments(region, siteNumber),
          keys.siteAllowed(region, siteNumber),
          keys.siteAllowedVersion(region, siteNumber),
          keys.waiting(region),
          keys.deadlines(region),
          keys.events(region),
        ],
        [
          siteNumberBytes(siteNumber),
          before === undefined ? "" : siteRecordHead(before),
          encodeSiteRecord({ site: facts, cell, isOffered }),
          record,
          installed,
          encodeSizeProfile(placed.sizeClasses),
          cellNumberInRegion(cell),
          cellNumberInRegion(oldCell),
          isOffered ? "1" : "0",
          before === undefined || keepsClasses(before.site, placed) ? "1" : "0",
          isAlwaysOpen(times) ? "" : encodeOpeningTimes(times),
          nowMs,
          keys.reservationPrefix(region),
          refitted,
          ...lost.map(({ compartmentId }) => compartmentId),
        ],
      );
      if (tag === "put") return { siteId, outcome: revision === 0 ? "created" : "updated", revision: revision + 1 };
      if (tag === "compartment_in_use") throw compartmentInUse(before?.site ?? placed, lost[Number(value) - 1]);
      if (tag === "in_use") throw capacityInUse(before?.site ?? placed, Number(value));
      if (tag === "profiles_full") throw profilesFull(region);
      if (tag === "opening_times_full") throw openingTimesFull(region);
    }
    throw conflict(siteId);
  }
}

/** A site number as index records and site counts have it: u32, little-endian. */
export function siteNumberBytes(siteNumber: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(siteNumber);
  return bytes;
}

type PlacedSite = Site & { position: NonNullable<Site["position"]> };

function placedSite(site: Site): PlacedSite {
  const { position } = site;
  if (position === undefined) throw new TypeError("a site without a position");
  return {
    ...site,
    position: { ...position, ...quantise(position) },
    lifecycle: site.lifecycle === SiteLifecycle.UNSPECIFIED ? SiteLifecycle.ACTIVE : site.lifecycle,
  };
}

function refuseImpossible(before: StoredSite, site: Site): void {
  const region = regionOfCell(indexCellOf(placedSite(site).position));
  const siteId = before.site.siteId;
  if (parseSiteId(siteId)?.region !== region) throw regionChanged(site, siteId, region);
  if (before.site.isTest !== site.isTest) {
    throw new PetakError("MODE_MISMATCH", `is_test of site ${siteId} is ${before.site.isTest} and cannot be changed`, {
      metadata: { site_id: siteId },
    });
  }
  before.counts.forEach((count, index) => {
    const inUse = count.occupied + count.held;
    if (inUse === 0) return;
    const now = site.sizeClasses[index];
    if (now === undefined || now.installed < inUse || !keepsClasses(before.site, site)) throw capacityInUse(before.site, index);
  });
}

function regionChanged(site: Site, siteId: string, region: Region): PetakError {
  return new PetakError(
    "SITE_REGION_CHANGED",
    `site ${siteId} (${site.operatorSiteRef}) cannot move to region ${region}: retire it and create another with a new operator_site_ref`,
    { metadata: { site_id: siteId, subject: siteId, region } },
  );
}

function conflict(siteId: string): PetakError {
  return new PetakError("CONFLICT", `site ${siteId} was changed concurrently too often; send the same request again`, {
    metadata: { site_id: siteId },
  });
}

function profilesFull(region: Region): PetakError {
  return invalidField(
    "size_classes",
    `region ${region} has 65536 different size profiles, its limit; use the sizes of another site`,
    "site.size_profiles_max",
  );
}

function openingTimesFull(region: Region): PetakError {
  return invalidField(
    "opening_hours",
    `region ${region} has 65535 different opening hours, its limit; use the hours of another site`,
    "site.opening_hours_max",
  );
}

function capacityInUse(site: Site, classIndex: number): PetakError {
  const sizeClassId = site.sizeClasses[classIndex]?.sizeClassId ?? String(classIndex);
  return new PetakError(
    "CAPACITY_IN_USE",
    `size class ${sizeClassId} of site ${site.siteId} (${site.operatorSiteRef}) has more holds and parcels than the change leaves places for`,
    { metadata: { site_id: site.siteId, subject: site.siteId, size_class_id: sizeClassId } },
  );
}

function compartmentInUse(site: Site, compartment: Compartment | undefined): PetakError {
  const { compartmentId = "", sizeClassId = "" } = compartment ?? {};
  return new PetakError(
    "CAPACITY_IN_USE",
    `compartment ${compartmentId} of site ${site.siteId} (${site.operatorSiteRef}) is held or contains a parcel, so it cannot be removed or change its size class`,
    { metadata: { site_id: site.siteId, subject: site.siteId, size_class_id: sizeClassId } },
  );
}

/** The compartments that a change removes or moves to another size class. */
function lostCompartments(before: Site, after: Site): Compartment[] {
  const kept = new Map(after.compartments.map(({ compartmentId, sizeClassId }) => [compartmentId, sizeClassId]));
  return before.compartments.filter(({ compartmentId, sizeClassId }) => kept.get(compartmentId) !== sizeClassId);
}

/** Whether every existing size class keeps its index, by which site counts and queue entries refer to it. */
function keepsClasses(before: Site, after: Site): boolean {
  return before.sizeClasses.every(({ sizeClassId }, index) => after.sizeClasses[index]?.sizeClassId === sizeClassId);
}

function sameFacts(before: Site, after: Site): boolean {
  return equals(
    SiteSchema,
    before,
    create(SiteSchema, { ...after, siteId: before.siteId, revision: before.revision, updatedAt: before.updatedAt }),
  );
}
