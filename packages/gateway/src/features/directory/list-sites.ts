import { create, isMessage } from "@bufbuild/protobuf";
import {
  type ListSitesRequest,
  type ListSitesResponse,
  ListSitesResponseSchema,
  type Region,
  type Site,
  SiteLifecycle,
  SiteSchema,
  type SiteTombstone,
  SiteTombstoneSchema,
} from "@petak/protocol";
import { type ListedSites, retiredKeptMs } from "@petak/records";
import type { SiteIds } from "@petak/redis";
import type { ParticipantCaller, PublishableCaller } from "../../identity/index.ts";
import { invalidCursor } from "../feed/invalid-cursor.ts";
import { decodeSiteListCursor, encodeSiteListCursor, type SiteListCursor } from "./site-list-cursor.ts";

export interface ListSitesDependencies {
  listedSites: ListedSites;
  siteIds: Pick<SiteIds, "storeCode">;
  now: () => number;
}

/** Page size if the request does not specify it. */
const defaultPageSize = 100;

/** Sites that are examined for one page, including those that are not wanted. */
const examinedMax = 1000;

/** Bytes of the sites of a page, as they are stored. In JSON they are up to five times as long, and a response may have 4 MiB. */
const pageMaxBytes = 512 * 1024;

/** Regions that are looked at for one page, and together. */
const regionsMax = 1000;
const regionsTogether = 100;

/**
 * How long a cursor may be used, in s: a day less than a retired site is kept, for clocks that differ. A retired site is its own tombstone; later somebody who
 * does not know of the retirement could not be told.
 */
const cursorKeptS = retiredKeptMs / 1000 - 86_400;

/** What a page consists of. */
interface Page {
  /** By site, the latest that was read of each: one that changes meanwhile may be read twice. */
  readonly found: Map<string, Site | SiteTombstone>;
  /** Bytes of the sites that were examined. */
  bytes: number;
  examined: number;
}

/** Lists the sites of the caller's network region by region, each in the order of its changes. The cursor knows how far each region was read. */
export async function listSites(
  dependencies: ListSitesDependencies,
  request: ListSitesRequest,
  { mode }: ParticipantCaller | PublishableCaller,
): Promise<ListSitesResponse> {
  const { listedSites, siteIds, now } = dependencies;
  const { countryCodes, operatorIds } = request;
  const scope = { storeCode: siteIds.storeCode, mode, countryCodes, operatorIds };
  const cursor = request.cursor === "" ? undefined : decodeSiteListCursor(scope, request.cursor);
  const round = roundOf(cursor, Math.floor(now() / 1000));
  const regions = (await listedSites.regions(countryCodes)).filter((region) => region >= round.from);
  const sequences = new Map(round.sequences);
  const page: Page = { found: new Map(), bytes: 0, examined: 0 };
  const from = await readRound(listedSites, { request, isTest: mode === "test", regions, sequences }, page);
  const { begunAt, knownAt } = round;
  const next = { begunAt, knownAt: from === undefined ? begunAt : knownAt, from, sequences };
  const found = [...page.found.values()];
  return create(ListSitesResponseSchema, {
    sites: found.filter((one) => isMessage(one, SiteSchema)),
    tombstones: found.filter((one) => isMessage(one, SiteTombstoneSchema)),
    nextCursor: encodeSiteListCursor(scope, next),
    // What this call did not read itself may have changed since the calls that did: the next round says.
    hasMore: from !== undefined || cursor?.from !== undefined,
  });
}

/** The round that a cursor continues, or begins. @throws {PetakError} CURSOR_INVALID if the cursor is too old. */
function roundOf(cursor: SiteListCursor | undefined, nowS: number): SiteListCursor & { from: Region } {
  if (cursor === undefined) return { knownAt: nowS, begunAt: nowS, from: "", sequences: new Map() };
  if (nowS - cursor.knownAt > cursorKeptS) {
    throw invalidCursor(
      `it is older than ${cursorKeptS / 86_400} days, and sites that were retired meanwhile may have ended; start at the beginning, without a cursor, and drop the sites that are not sent again`,
    );
  }
  return cursor.from === undefined ? { ...cursor, begunAt: nowS, from: "" } : { ...cursor, from: cursor.from };
}

/** What of a round is read. */
interface Reading {
  readonly request: ListSitesRequest;
  readonly isTest: boolean;
  readonly regions: readonly Region[];
  readonly sequences: Map<Region, number>;
}

/** Reads a round until the page is full. Returns the region where the next page continues; undefined if the round is complete. */
async function readRound(listedSites: ListedSites, reading: Reading, page: Page): Promise<Region | undefined> {
  const { regions, sequences } = reading;
  for (let first = 0; first < regions.length; first += regionsTogether) {
    if (first >= regionsMax) return regions[first];
    const together = regions.slice(first, first + regionsTogether);
    const lasts = await listedSites.lasts(together);
    for (const [index, region] of together.entries()) {
      const last = lasts[index] as number;
      // A store that has lost its latest changes begins anew in this region.
      if ((sequences.get(region) ?? 0) > last) sequences.delete(region);
      if (!(await readRegion(listedSites, { ...reading, region, last }, page))) return region;
    }
  }
  return undefined;
}

/** Reads the changes of a region up to one. Returns false if the page was full before. */
async function readRegion(
  listedSites: ListedSites,
  { request, isTest, sequences, region, last }: Reading & { region: Region; last: number },
  page: Page,
): Promise<boolean> {
  const pageSize = request.pageSize || defaultPageSize;
  for (let known = sequences.get(region) ?? 0; known < last; ) {
    const left = { sites: pageSize - page.found.size, bytes: pageMaxBytes - page.bytes };
    if (left.sites <= 0 || left.bytes <= 0 || page.examined >= examinedMax) return false;
    const { sites, bytes, sequence } = await listedSites.changedAfter(region, known, left);
    for (const { site } of sites) {
      page.found.delete(site.siteId);
      const entry = entryOf(site, request, isTest);
      if (entry !== undefined) page.found.set(site.siteId, entry);
    }
    page.bytes += bytes;
    page.examined += sites.length;
    // Gone meanwhile.
    if (sequence === known) break;
    known = sequence;
    sequences.set(region, known);
  }
  return true;
}

/** A site or its tombstone as the list shows it. Undefined: it is not wanted. */
function entryOf(site: Site, { countryCodes, operatorIds }: ListSitesRequest, isTest: boolean): Site | SiteTombstone | undefined {
  // These two never change.
  if (site.isTest !== isTest || (operatorIds.length > 0 && !operatorIds.includes(site.operatorId))) return undefined;
  const isElsewhere = countryCodes.length > 0 && !countryCodes.includes(site.address?.countryCode ?? "");
  // It may have been in one of the countries before.
  if (isElsewhere && site.revision === 1) return undefined;
  if (!isElsewhere && site.lifecycle !== SiteLifecycle.DECOMMISSIONED) return site;
  const { siteId, operatorId, operatorSiteRef, revision, updatedAt } = site;
  return create(SiteTombstoneSchema, { siteId, operatorId, operatorSiteRef, revision, ...(updatedAt && { updatedAt }) });
}
