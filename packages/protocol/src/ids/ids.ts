import { base32Class, decodeBase32, encodeBase32, randomBase32 } from "./base32.ts";

/**
 * A region: the H3 cell of resolution 3 in which a site lies, as the 6 significant hexadecimal digits of its index (the index is the region followed by
 * `fffffffff`). The ids of the region's sites, reservations and events contain it.
 */
export type Region = string;

/** The network that a key sees, as it is written in ids. */
export type ModeName = "live" | "test";

const regionClass = "83[0-9a-f]{4}";

/** Characters of a store code: 50 bits. */
export const storeCodeLength = 10;

/** Characters of a site's number in its id, including leading zeros. */
const siteNumberLength = 6;

/** The greatest number of a site: 30 bits. */
export const siteNumberMax = 2 ** 30 - 1;

const storeCodePattern = new RegExp(`^${base32Class}{${storeCodeLength}}$`);
const siteIdPattern = new RegExp(`^site_(${regionClass})_(${base32Class}{${storeCodeLength}})(${base32Class}{${siteNumberLength}})$`);
const bundleIdPattern = new RegExp(`^bdl_(${regionClass})_(${base32Class}{16})$`);
const reservationIdPattern = new RegExp(`^res_(${regionClass})_(${base32Class}{16})$`);

/** The parts of a site id. */
export interface SiteIdParts {
  readonly region: Region;
  /** The store in which the site is registered. */
  readonly storeCode: string;
  /** The store's number for the site, counted per region from 1. Range: [1, {@link siteNumberMax}]. */
  readonly siteNumber: number;
}

/** A new store code: 50 random bits, so that no two stores have the same one. */
export function newStoreCode(): string {
  return randomBase32(storeCodeLength);
}

/** Whether a text is a store code. */
export function isStoreCode(text: string): boolean {
  return storeCodePattern.test(text);
}

/**
 * Formats a site id.
 *
 * @throws {RangeError} if the number is out of range.
 */
export function formatSiteId(region: Region, storeCode: string, siteNumber: number): string {
  if (!(siteNumber >= 1 && siteNumber <= siteNumberMax))
    throw new RangeError(`${siteNumber} is not a site number from 1 to ${siteNumberMax}`);
  return `site_${region}_${storeCode}${encodeBase32(siteNumber).padStart(siteNumberLength, "0")}`;
}

/** Parses a site id. Undefined if the text is not one. */
export function parseSiteId(text: string): SiteIdParts | undefined {
  const match = siteIdPattern.exec(text);
  if (match === null) return undefined;
  const [, region = "", storeCode = "", digits = ""] = match;
  const siteNumber = decodeBase32(digits);
  return siteNumber === 0 ? undefined : { region, storeCode, siteNumber };
}

/** Generates a reservation id in a region, with 80 random bits. */
export function newReservationId(region: Region): string {
  return formatReservationId(region, randomBase32(16));
}

/** Formats a reservation id. */
export function formatReservationId(region: Region, handle: string): string {
  return `res_${region}_${handle}`;
}

/** Parses a reservation id. Undefined if the text is not one. */
export function parseReservationId(text: string): { region: Region; handle: string } | undefined {
  const match = reservationIdPattern.exec(text);
  if (match === null) return undefined;
  const [, region = "", handle = ""] = match;
  return { region, handle };
}

/** Formats a bundle id. */
export function formatBundleId(region: Region, handle: string): string {
  return `bdl_${region}_${handle}`;
}

/** Parses a bundle id. Undefined if the text is not one. */
export function parseBundleId(text: string): { region: Region; handle: string } | undefined {
  const match = bundleIdPattern.exec(text);
  if (match === null) return undefined;
  const [, region = "", handle = ""] = match;
  return { region, handle };
}

/** Generates an event id in a region, with 80 random bits. */
export function newEventId(region: Region): string {
  return `evt_${region}_${randomBase32(16)}`;
}

/** Generates a participant id, with 80 random bits. */
export function newParticipantId(): string {
  return `par_${randomBase32(16)}`;
}

/** Generates a key id that contains the key's network, with 80 random bits. */
export function newKeyId(mode: ModeName): string {
  return `key_${mode}_${randomBase32(16)}`;
}

/** Generates a publishable key that contains its network, with 120 random bits. */
export function newPublishableKey(mode: ModeName): string {
  return `pk_${mode}_${randomBase32(24)}`;
}
