import type { CallOptions, Client } from "@connectrpc/connect";
import { keepSites, type SiteCopy, type SiteFilters } from "@petak/client";
import type { DirectoryService, Site } from "@petak/protocol";
import { SiteKind, SiteLifecycle } from "@petak/protocol";
import { greatCircleM, type Position } from "@petak/protocol/geo";
import type { Observation } from "../observe/observation.ts";
import type { Intention } from "../trace/intention.ts";
import { openingOf } from "./opening.ts";

const metresPerDegree = 111_195;

/** The sites of the city, by the directory. */
export interface CitySites {
  /** The site of an id; reads the directory if it is not known. */
  find(siteId: string): Promise<Site | undefined>;
  positionOf(siteId: string): Position | undefined;
  byRef(ref: string): Site | undefined;
  /** Whether a site in service lies within a distance, in m, whatever fits and is free there. */
  isWithin(position: Position, distanceM: number): boolean;
  /** The next time at which a site is open, from a time of the trace on: ms since 1970. */
  opens(site: Site, atMs: number): number;
  /** Takes in what lies around somebody, and observes it. */
  include(intention: Intention): void;
  /** Reads what has changed in the directory. */
  refresh(options: CallOptions): Promise<void>;
  /** Those that were observed, in service or not. */
  seen(): Site[];
  /** The operators of sites with a door, if there are others in the city and a search can be limited to them. */
  searched(): string[];
}

export interface CitySitesOptions {
  readonly directory: Pick<Client<typeof DirectoryService>, "listSites" | "getSite">;
  readonly filters: SiteFilters;
  readonly hasDoor: (site: Site) => boolean;
  readonly observe: (observation: Observation) => void;
  readonly nowMs: () => number;
}

/** Operators that a search can be limited to: the protocol's limit. */
const operatorsMax = 50;

/** Reads the directory. Sites far from everybody of the trace are left out of the city. */
export async function readSites({ directory, filters, hasDoor, observe, nowMs }: CitySitesOptions): Promise<CitySites> {
  let copy: SiteCopy = await keepSites(directory, undefined, filters);
  const revisions = new Map<string, number>();
  const openings = new Map<string, { revision: number; opens: (atMs: number) => number }>();
  const refs = new Map<string, string>();
  const area = { south: 90, north: -90, west: 180, east: -180 };
  let operators: string[] | undefined;

  function show(site: Site): void {
    if (revisions.get(site.siteId) === site.revision) return;
    revisions.set(site.siteId, site.revision);
    operators = undefined;
    observe(seenOf(site, nowMs(), hasDoor(site)));
  }

  function showArea(): void {
    for (const site of copy.sites.values()) {
      const { latitude = 0, longitude = 0 } = site.position ?? {};
      const isNear = latitude >= area.south && latitude <= area.north && longitude >= area.west && longitude <= area.east;
      if (isNear) show(site);
    }
  }

  function index(): void {
    for (const { operatorSiteRef, siteId } of copy.sites.values()) refs.set(operatorSiteRef, siteId);
  }

  index();
  return {
    async find(siteId) {
      const known = copy.sites.get(siteId) ?? (await directory.getSite({ siteId }).catch(() => undefined))?.site;
      if (known === undefined) return undefined;
      copy.sites.set(siteId, known);
      show(known);
      return known;
    },
    positionOf(siteId) {
      const position = copy.sites.get(siteId)?.position;
      return position && { latitude: position.latitude, longitude: position.longitude };
    },
    byRef(ref) {
      const site = copy.sites.get(refs.get(ref) ?? "");
      if (site !== undefined) show(site);
      return site;
    },
    isWithin(position, distanceM) {
      const north = distanceM / metresPerDegree;
      for (const siteId of revisions.keys()) {
        const site = copy.sites.get(siteId);
        if (site?.position === undefined || site.lifecycle !== SiteLifecycle.ACTIVE) continue;
        if (Math.abs(site.position.latitude - position.latitude) > north) continue;
        if (greatCircleM(position, site.position) <= distanceM) return true;
      }
      return false;
    },
    opens(site, atMs) {
      let known = openings.get(site.siteId);
      if (known === undefined || known.revision !== site.revision) {
        known = { revision: site.revision, opens: openingOf(site.openingHours, site.timeZone) };
        openings.set(site.siteId, known);
      }
      return known.opens(atMs);
    },
    include({ latitude, longitude, walkM, overflowWithinM }) {
      const north = (walkM + overflowWithinM) / metresPerDegree;
      const east = north / Math.max(0.01, Math.cos((latitude * Math.PI) / 180));
      if (
        latitude - north >= area.south &&
        latitude + north <= area.north &&
        longitude - east >= area.west &&
        longitude + east <= area.east
      )
        return;
      // Somewhat more, so that few people make the area grow.
      area.south = Math.min(area.south, latitude - 2 * north);
      area.north = Math.max(area.north, latitude + 2 * north);
      area.west = Math.min(area.west, longitude - 2 * east);
      area.east = Math.max(area.east, longitude + 2 * east);
      showArea();
    },
    async refresh(options) {
      const atMs = nowMs();
      let hasChanges = false;
      const listSites: typeof directory.listSites = async (...asked) => {
        const page = await directory.listSites(...asked);
        hasChanges ||= page.sites.length > 0 || page.tombstones.length > 0;
        return page;
      };
      copy = await keepSites({ listSites }, copy, filters, options);
      // Most hours change nothing, and there may be tens of thousands of sites.
      if (hasChanges) {
        index();
        showArea();
      }
      observe({ kind: "directory", atMs });
    },
    seen: () => [...revisions.keys()].flatMap((siteId) => copy.sites.get(siteId) ?? []),
    searched() {
      if (operators !== undefined) return operators;
      const seen = [...revisions.keys()].flatMap((siteId) => copy.sites.get(siteId) ?? []);
      const own = new Set(seen.filter(hasDoor).map(({ operatorId }) => operatorId));
      operators = own.size > operatorsMax || seen.every(hasDoor) ? [] : [...own];
      return operators;
    },
  };
}

function seenOf(site: Site, atMs: number, hasDoor: boolean): Observation {
  const { siteId, operatorSiteRef, name, operatorId, kind, lifecycle, position, timeZone, openingHours, sizeClasses } = site;
  const weekly = openingHours?.weekly ?? [];
  return {
    kind: "site",
    atMs,
    siteId,
    ref: operatorSiteRef,
    name,
    operatorId,
    isStore: kind === SiteKind.COLLECTION_POINT,
    hasDoor,
    isActive: lifecycle === SiteLifecycle.ACTIVE,
    latitude: position?.latitude ?? 0,
    longitude: position?.longitude ?? 0,
    timeZone,
    ...(weekly.length > 0 && {
      weekly: weekly.map(({ openDay, openMinute, closeDay, closeMinute }) => ({ openDay, openMinute, closeDay, closeMinute })),
    }),
    ...((openingHours?.exceptions ?? []).length > 0 && { hasExceptions: true }),
    sizeClasses: sizeClasses.map(({ sizeClassId, widthMm, heightMm, depthMm, maxMassG, installed }) => ({
      sizeClassId,
      widthMm,
      heightMm,
      depthMm,
      maxMassG,
      installed,
    })),
  };
}
