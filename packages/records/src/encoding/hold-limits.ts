import type { Reservation } from "@petak/protocol";
import { GrowingBytes } from "./growing-bytes.ts";

/** A participant in one network: it has its own share of holds and queues in each. */
export type Sharer = Pick<Reservation, "participantId" | "isTest">;

/** The name under which a participant's holds and queued reservations are counted. */
export function sharerOf({ participantId, isTest }: Sharer): string {
  return isTest ? `${participantId} test` : participantId;
}

/** The most unconfirmed holds of a participant that the scripts of a region allow. */
export interface HoldLimits {
  /** Holds at a site that are always allowed, whatever its share. Range: [0, 65535]. */
  siteLeast: number;
  /** Percent of the places of a site that are free or held by the participant. From 100: no limit at sites. Range: [0, 100]. */
  sitePercent: number;
  /** Holds in one region. Range: [0, 2^32 − 1]. */
  regionMost: number;
}

/** No limits. */
export const noHoldLimits: Readonly<HoldLimits> = { siteLeast: 0, sitePercent: 100, regionMost: 0xffffffff };

/** Writes limits in the form that lua/includes/holds.lua reads: {@link holdLimitsBytes}. */
export function writeHoldLimits(bytes: GrowingBytes, { siteLeast, sitePercent, regionMost }: Readonly<HoldLimits>): void {
  bytes.u16(siteLeast);
  bytes.u8(sitePercent);
  bytes.u32(regionMost);
}

/** Limits in that form. */
export function packedHoldLimits(limits: Readonly<HoldLimits>): Buffer {
  const bytes = new GrowingBytes();
  writeHoldLimits(bytes, limits);
  return bytes.copy();
}

/** The length of written limits. */
export const holdLimitsBytes = 7;

/** The most holds of a participant at a site of which `free` places are free and `own` are held by the participant, as lua/includes/holds.lua computes it. */
export function siteMost({ siteLeast, sitePercent }: Readonly<HoldLimits>, { free, own }: { free: number; own: number }): number {
  return Math.max(siteLeast, Math.floor(((free + own) * sitePercent) / 100));
}

/**
 * The same for one size class of the site. What is always allowed at a site is allowed of any class.
 *
 * @param ownAtSite what the participant holds at the site, of all classes
 */
export function classMost(
  { siteLeast, sitePercent }: Readonly<HoldLimits>,
  { free, own, ownAtSite }: { free: number; own: number; ownAtSite: number },
): number {
  return Math.max(1, Math.floor(((free + own) * sitePercent) / 100), own + siteLeast - ownAtSite);
}

/** Scopes of the limits that the scripts know, and what lua/includes/holds.lua calls them. */
const scopeCodes = { site: "S", size_class: "C", region: "R" } as const;
const scopes = Object.keys(scopeCodes) as (keyof typeof scopeCodes)[];

/** A limit on holds for which a participant does not get a free place. */
export interface HoldExhaustion {
  scope: keyof typeof scopeCodes | "all";
  limit: number;
  used: number;
  /** When the first of the participant's holds in the region expires, in ms since 1970. 0: not known. */
  firstExpiryMs: number;
}

/** The length of a description of an exhausted limit. */
export const exhaustionBytes = 15;

/** Decodes the description of an exhausted limit that lua/includes/holds.lua packs. */
export function decodeExhaustion(bytes: Buffer, at = 0): HoldExhaustion {
  return {
    scope: scopes.find((scope) => scopeCodes[scope] === bytes.toString("latin1", at, at + 1)) ?? "region",
    limit: bytes.readUInt32LE(at + 1),
    used: bytes.readUInt32LE(at + 5),
    firstExpiryMs: bytes.readUIntLE(at + 9, 6),
  };
}
