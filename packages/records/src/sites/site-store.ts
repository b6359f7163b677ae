import { create, equals } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { cellNumberInRegion, encodeRecord, indexCellOf, quantise, regionOfCell, siteFlags } from "@petak/allocator";
import { isIntakePaused } from "@petak/lifecycle";
import {
  type Compartment,
  LiveReservations,
  type ModeName,
  PetakError,
  parseSiteId,
  type Region,
  type Site,
  type SiteIntake,
  SiteLifecycle,
  SiteSchema,
} from "@petak/protocol";
import type { Keys, RedisConnection, SiteIds } from "@petak/redis";
import { notifyKeysTouched } from "@petak/redis";
import { storedBytes } from "../encoding/stored-bytes.ts";
import { createScript } from "../lua/create-script.ts";
import { defaultQuotas, type Quotas, quotaExhausted } from "../quotas/quotas.ts";
import { cellFull, findCellRoom } from "./cell-room.ts";
import { createDecodedSites } from "./decoded-sites.ts";
import { type LiveCounts, movedM, refusesLive, siteInUse } from "./live-reservations.ts";
import { refittedPlaces } from "./refitted-places.ts";
import { findListRoom, listFull, namedEntries } from "./region-lists.ts";
import { dutiesMaxBytes, encodeDuty } from "./site-changes.ts";
import { decodeSiteCounts, type SiteCounts } from "./site-counts.ts";
import { siteDifference } from "./site-difference.ts";
import { pauseEndMs, placesCaps } from "./site-intake.ts";
import { siteNotFound } from "./site-not-found.ts";
import { cellOf, encodeSiteRecord, type FiledSite, type SiteRecord, siteRecordHead } from "./site-record.ts";

/** A stored site with its counts. */
export type StoredSite = FiledSite & SiteCounts;

/** The result of writing a site. */
export interface PutOutcome {
  siteId: string;
  outcome: "created" | "updated" | "unchanged";
  revision: number;
}

/** Sites that may be written. */
export interface CheckedSites {
  /** Each site as it is, or undefined if it would be created. */
  before: (StoredSite | undefined)[];
  /** Whether they may be written in any order. Else one after the other, as they were given: one needs what another gives back. */
  isAnyOrder: boolean;
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
  /** The site with an operator's reference, or undefined. */
  findByRef(operatorId: string, operatorSiteRef: string): Promise<StoredSite | undefined>;
  /**
   * Creates a site or changes its facts, and moves it in the index. `site.operatorId` and `site.operatorSiteRef` identify it.
   *
   * @param live what happens to its live reservations if it is retired or moves far. Default REFUSE
   * @param refuse throws if the stored site, if there is one, must not change so. It sees what the change replaces, also if others write at the same time.
   *   Given for a change without a proof: such moves add up although nobody has a reservation there
   * @throws {PetakError} SITE_IN_USE if it has some, by REFUSE, atomically with the change; QUOTA_EXHAUSTED if the operator has as many sites as it may; SITE_REGION_CHANGED if its position moves to another region; CAPACITY_IN_USE if the change removes places that reservations use;
   *   CONFLICT if it was changed concurrently too often; MODE_MISMATCH if `isTest` changes; QUOTA_EXHAUSTED if the operator or the region has too many
   *   different size profiles or opening hours, or the operator or the test network too many sites in the index cell.
   */
  put(site: Site, nowMs: number, live?: LiveReservations, refuse?: (stored: Site) => void): Promise<PutOutcome>;
  /**
   * Removes a site from the index. It ends half a year later, see retired-sites.ts, unless it is put back before. Returns whether that changed the site.
   *
   * @throws {PetakError} SITE_IN_USE if it has live reservations, by REFUSE, the default.
   */
  retire(siteId: string, nowMs: number, live?: LiveReservations): Promise<boolean>;
  /**
   * Changes what a site takes in by its device's word, and with it the places in service and whether the site is offered.
   *
   * @param change what it takes in from now on, by what was said before; called again if the site's facts have changed meanwhile
   * @throws {PetakError} SITE_NOT_FOUND; QUOTA_EXHAUSTED if it is to be offered again and the operator has used up what it may have there; CONFLICT if it was
   *   changed concurrently too often.
   */
  setIntake(siteId: string, change: (intake: SiteIntake | undefined) => SiteIntake | undefined, nowMs: number): Promise<void>;
  /**
   * Throws what {@link put} would throw for one of an operator's sites of one network, were they written one after the other, without writing anything. So a call
   * with several sites writes all or none of them, unless somebody else's change comes between.
   */
  check(sites: readonly Site[], live?: LiveReservations): Promise<CheckedSites>;
  /** Throws what {@link retire} would throw, without writing anything. */
  checkRetirement(stored: StoredSite, live?: LiveReservations): Promise<void>;
}

/** The most attempts at a read or write against concurrent writers of the same site. */
const maxAttempts = 5;

/** An index record has the operator's number as u16. */
const maxOperatorNumber = 0xffff;

const { REFUSE } = LiveReservations;

const putScript = createScript("put-site");
const claimMemberScript = createScript("claim-member");
const replaceRefScript = createScript("replace-ref");

/** Stores sites in Redis. */
export function createSiteStore(redis: RedisConnection, keys: Keys, siteIds: SiteIds, quotas: Quotas = defaultQuotas): SiteStore {
  const decoded = createDecodedSites();

  async function readRecord(siteId: string): Promise<SiteRecord | undefined> {
    const id = siteIds.parse(siteId);
    if (id === undefined) return undefined;
    const bytes = await redis.getBuffer(keys.site(id.region, id.siteNumber));
    return bytes === null ? undefined : decoded.decode(siteId, bytes);
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

  /**
   * The id of the site with a reference, which is assigned if there is none. A crash afterwards leaves at most a number unused.
   *
   * @param endedId a site that has ended: its reference gets another id
   */
  async function claimSiteId(site: Site, region: Region, endedId?: string): Promise<string> {
    const refs = keys.operatorSiteRefs(site.operatorId);
    const kept = await redis.hget(refs, site.operatorSiteRef);
    const known = kept === null ? undefined : siteIds.lengthen(kept);
    if (known !== undefined && known !== endedId && siteIds.parse(known)?.region === region) return known;
    if (known !== undefined && known !== endedId && (await find(known)) !== undefined) throw regionChanged(site, known, region);
    await countSite(site);
    const siteId = siteIds.format(region, await redis.incr(keys.siteCounter(region)));
    const short = siteIds.shorten(siteId);
    const isClaimed =
      kept === null
        ? (await redis.hsetnx(refs, site.operatorSiteRef, short)) === 1
        : (await replaceRefScript(redis, [refs], [site.operatorSiteRef, kept, short]))[0] === "replaced";
    if (!isClaimed) return await claimSiteId(site, region, endedId);
    // Again, in case the site that had the reference has ended in between.
    await redis.sadd(keys.operatorSites(modeOf(site), site.operatorId), site.operatorSiteRef);
    if (kept !== null && known !== undefined && known !== endedId && (await find(known)) !== undefined) {
      // Its writer had not crashed, and wrote the site between the look and the claim: the reference is that site's.
      await replaceRefScript(redis, [refs], [site.operatorSiteRef, short, kept]);
      throw regionChanged(site, known, region);
    }
    return siteId;
  }

  /** Counts a reference among the operator's sites, before it gets a site. @throws {PetakError} QUOTA_EXHAUSTED. */
  async function countSite({ operatorId, operatorSiteRef, isTest }: Site): Promise<void> {
    const set = keys.operatorSites(modeOf({ isTest }), operatorId);
    const [tag, used] = await claimMemberScript(redis, [set], [quotas.sitesMax, operatorSiteRef]);
    if (tag === "full") throw sitesExhausted(operatorId, Number(used));
  }

  /** Throws what {@link countSite} would throw for sites of one operator and network. */
  async function refuseBeyondQuota(sites: readonly Site[]): Promise<void> {
    const [site] = sites;
    if (site === undefined) return;
    const set = keys.operatorSites(modeOf(site), site.operatorId);
    const [used, counted] = await Promise.all([redis.scard(set), redis.smismember(set, ...sites.map((one) => one.operatorSiteRef))]);
    const adding = counted.filter((isCounted) => isCounted === 0).length;
    if (adding > 0 && used + adding > quotas.sitesMax) throw sitesExhausted(site.operatorId, used, adding);
  }

  function sitesExhausted(operatorId: string, used: number, adding = 1): PetakError {
    return quotaExhausted({ quota: "sitesMax", limit: quotas.sitesMax, used, adding, subject: operatorId });
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
    filed: readRecord,
    findAll,
    facts: async (siteIds) => await Promise.all(siteIds.map(async (siteId) => (await readRecord(siteId))?.site)),
    findByRef,
    async check(sites, live = REFUSE) {
      const before = await Promise.all(
        sites.map(async (site) => {
          const stored = await findByRef(site.operatorId, site.operatorSiteRef);
          if (stored === undefined) return undefined;
          refuseImpossible(stored, site);
          await refuseInUse(stored, inPhase(placedSite(site), stored.site), live);
          await refuseLostInUse(stored.site, site);
          return stored;
        }),
      );
      await refuseBeyondQuota(sites.filter((_, index) => before[index] === undefined));
      const changes = sites.map((site, index) => {
        const stored = before[index]?.site;
        return [stored, withIntake(inPhase(placedSite(site), stored), stored?.intake)] as const;
      });
      const regions = Map.groupBy(changes, ([, { position }]) => regionOfCell(indexCellOf(position)));
      const rooms = [...regions].flatMap(([region, ofRegion]) => {
        const [, { operatorId, isTest }] = ofRegion[0] as (typeof changes)[number];
        const ofOperator = { region, operatorId, mode: modeOf({ isTest }), sites: ofRegion };
        return [findListRoom(redis, keys, quotas, ofOperator), findCellRoom(redis, keys, siteIds, quotas, ofOperator)];
      });
      return { before, isAnyOrder: (await Promise.all(rooms)).every((isAnyOrder) => isAnyOrder) };
    },
    async checkRetirement(stored, live = REFUSE) {
      await refuseInUse(stored, retired(placedSite(stored.site), live), live);
    },
    async put(site, nowMs, live = REFUSE, refuse) {
      const placed = placedSite(site);
      const region = regionOfCell(indexCellOf(placed.position));
      const isRetired = placed.lifecycle === SiteLifecycle.DECOMMISSIONED;
      const change = (stored: PlacedSite | undefined) => {
        if (stored !== undefined) refuse?.(stored);
        return withIntake(isRetired ? retired(placed, live) : inPhase(placed, stored), stored?.intake);
      };
      let siteId = await claimSiteId(placed, region);
      let outcome = await write(siteId, nowMs, live, change, refuse !== undefined);
      if (outcome === undefined) {
        siteId = await claimSiteId(placed, region, siteId);
        outcome = await write(siteId, nowMs, live, change, refuse !== undefined);
      }
      if (outcome === undefined) throw conflict(siteId);
      const ref = await redis.hget(keys.operatorSiteRefs(placed.operatorId), placed.operatorSiteRef);
      if (ref === siteIds.shorten(siteId)) return outcome;
      // Another writer mistook this claim for one that a crash had left, and gave the reference to a site in another region.
      await write(siteId, nowMs, LiveReservations.DRAIN, (stored) => retired(stored ?? placed, LiveReservations.DRAIN));
      throw conflict(siteId);
    },
    async retire(siteId, nowMs, live = REFUSE) {
      const written = await write(siteId, nowMs, live, (stored) => {
        if (stored === undefined) throw siteNotFound(siteId);
        return retired(stored, live);
      });
      return written?.outcome === "updated";
    },
    async setIntake(siteId, change, nowMs) {
      const place = (stored: PlacedSite | undefined) => {
        if (stored === undefined) throw siteNotFound(siteId);
        return withIntake(stored, change(stored.intake));
      };
      // Where it has moved by small steps still counts: this is no decision of its operator.
      if ((await write(siteId, nowMs, REFUSE, place, true)) === undefined) throw siteNotFound(siteId);
    },
  };

  /** Refuses a change that the site's live reservations do not allow. */
  async function refuseInUse(before: StoredSite, after: Site, live: LiveReservations): Promise<void> {
    if (!refusesLive(before.site, after, live)) return;
    const { region, siteNumber } = siteIds.require(before.site.siteId);
    const queued = await redis.zcard(keys.siteQueue(region, siteNumber));
    const [held, occupied] = [sumOf(before.counts, "held"), sumOf(before.counts, "occupied")];
    if (held + occupied + queued > 0) throw siteInUse(before.site, { held, occupied, queued });
  }

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

  /** Replaces the stored facts by a function of them, with optimistic concurrency. Undefined: the site has ended. */
  async function write(
    siteId: string,
    nowMs: number,
    live: LiveReservations,
    change: (stored: PlacedSite | undefined) => PlacedSite,
    isUnproven = false,
  ): Promise<PutOutcome | undefined> {
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
      const { movedFrom: _movedFrom, ...kept } = placed;
      const facts: Site = { ...kept, siteId, revision: revision + 1, updatedAt };
      const cell = indexCellOf(placed.position);
      const oldCell = before === undefined ? cell : cellOf(before);
      const isOffered = placed.lifecycle === SiteLifecycle.ACTIVE && !isIntakePaused(placed, nowMs);
      const installed = Buffer.alloc(placed.sizeClasses.length * 2);
      placed.sizeClasses.forEach((sizeClass, index) => {
        installed.writeUInt16LE(sizeClass.installed, index * 2);
      });
      const countryCode = placed.address?.countryCode ?? "";
      const [number] = await Promise.all([operatorNumber(placed.operatorId), addTo(keys.countryRegions(countryCode), region)]);
      const named = namedEntries(placed);
      const record = encodeRecord({
        siteNumber,
        position: placed.position,
        revision: revision + 1,
        flags: siteFlags(placed),
        operatorNumber: number,
        countryCode,
      });
      const lost = before === undefined ? [] : lostCompartments(before.site, placed);
      const refitted = before === undefined ? "" : await refittedPlaces(redis, keys, siteIds, facts, live);
      const [tag, ...values] = await putScript(
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
          keys.siteChanges(region),
          keys.profileUses(region),
          keys.openingTimesUses(region),
          keys.siteShortages(region),
          keys.sitesTold(region),
          keys.retiredSites(region),
          keys.endedSites(region),
          keys.listedSites(region),
          keys.sitePauses(region),
        ],
        [
          siteNumberBytes(siteNumber),
          before === undefined ? "" : siteRecordHead(before),
          encodeSiteRecord({ site: facts, cell, isOffered }),
          record,
          installed,
          named.sizeProfile,
          cellNumberInRegion(cell),
          cellNumberInRegion(oldCell),
          isOffered ? "1" : "0",
          before === undefined || keepsClasses(before.site, placed) ? "1" : "0",
          named.openingTimes,
          nowMs,
          keys.reservationPrefix(region),
          refitted,
          before !== undefined && refusesLive(before.site, placed, live) ? "1" : "0",
          dutyOf(before?.site, facts, live),
          dutiesMaxBytes,
          quotas.sizeProfilesMax,
          quotas.openingTimesMax,
          live === LiveReservations.CANCEL ? "1" : "0",
          placed.lifecycle === SiteLifecycle.DECOMMISSIONED ? "1" : "0",
          before === undefined || live !== REFUSE ? "" : movedFromPart(before.site, placed),
          isUnproven ? "1" : "0",
          quotas.cellSitesMax,
          placesCaps(placed),
          pauseEndMs(placed) ?? "",
          ...lost.map(({ compartmentId }) => compartmentId),
        ],
      );
      if (tag === "put") return { siteId, outcome: revision === 0 ? "created" : "updated", revision: revision + 1 };
      if (tag === "ended") return undefined;
      if (tag === "behind") throw behind(siteId);
      if (tag === "live") throw siteInUse(before?.site ?? placed, liveCountsOf(values));
      if (tag === "compartment_in_use") throw compartmentInUse(before?.site ?? placed, lost[Number(values[0]) - 1]);
      if (tag === "in_use") throw capacityInUse(before?.site ?? placed, Number(values[0]));
      if (tag === "cell_full") throw cellFull(quotas, { operatorId: placed.operatorId, cell }, Number(values[0]));
      const owner = { operatorId: placed.operatorId, region, mode: modeOf(placed) };
      if (tag === "profiles_full") throw listFull("sizeProfilesMax", quotas, owner, Number(values[0]));
      if (tag === "opening_times_full") throw listFull("openingTimesMax", quotas, owner, Number(values[0]));
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

/** The network of a site. */
export function modeOf({ isTest }: Pick<Site, "isTest">): ModeName {
  return isTest ? "test" : "live";
}

type PlacedSite = Site & { position: NonNullable<Site["position"]> };

function placedSite(site: Site): PlacedSite {
  const { position } = site;
  if (position === undefined) throw new TypeError("a site without a position");
  return { ...site, position: { ...position, ...quantise(position) } };
}

/** A site in the phase that it states. If it states none, the phase stays as it was, and a new site is in service. */
function inPhase(site: PlacedSite, stored: Site | undefined): PlacedSite {
  if (site.lifecycle !== SiteLifecycle.UNSPECIFIED) return site;
  return { ...site, lifecycle: stored?.lifecycle ?? SiteLifecycle.ACTIVE, draining: stored?.draining ?? false };
}

/** A site with what it takes in by its device's word. */
function withIntake({ intake: _intake, ...site }: PlacedSite, intake: SiteIntake | undefined): PlacedSite {
  return { ...site, ...(intake && { intake }) };
}

/** The field of a site's record that says from where it has moved without a decision. Empty: it is where it was. */
function movedFromPart(before: Site, after: Site): Buffer | string {
  const movedFrom = before.movedFrom ?? before.position;
  if (movedFrom === undefined || movedM({ position: movedFrom }, after) === 0) return "";
  return storedBytes(SiteSchema, create(SiteSchema, { movedFrom }));
}

/** The duty to tell a site's reservations of a change, encoded. Empty: it concerns none of them. */
function dutyOf(before: Site | undefined, after: Site, live: LiveReservations): Buffer | string {
  return before === undefined || siteDifference(before, after).length === 0 ? "" : encodeDuty({ before, after, live });
}

/** A site as it is once it is retired. */
function retired(site: PlacedSite, live: LiveReservations): PlacedSite {
  return { ...site, lifecycle: SiteLifecycle.DECOMMISSIONED, draining: live === LiveReservations.DRAIN };
}

function liveCountsOf([held, occupied, queued]: readonly unknown[]): LiveCounts {
  return { held: Number(held), occupied: Number(occupied), queued: Number(queued) };
}

function sumOf(counts: SiteCounts["counts"], field: "held" | "occupied"): number {
  return counts.reduce((sum, count) => sum + count[field], 0);
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
    // Late deposits may have left more in use than there is room for; only who removes places is refused for it.
    if (now === undefined || now.installed < Math.min(inUse, count.installed) || !keepsClasses(before.site, site))
      throw capacityInUse(before.site, index);
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

function behind(siteId: string): PetakError {
  const why = "its reservations have not been told of its earlier changes yet; send the same request again";
  return new PetakError("CONFLICT", `site ${siteId} changes too fast: ${why}`, { metadata: { site_id: siteId } });
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
    create(SiteSchema, {
      ...after,
      siteId: before.siteId,
      revision: before.revision,
      updatedAt: before.updatedAt,
      movedFrom: before.movedFrom,
    }),
  );
}
