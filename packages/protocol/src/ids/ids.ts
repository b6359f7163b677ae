import { base32Class, decodeBase32, encodeBase32, randomBase32 } from "./base32.ts";

/**
 * A region: the H3 cell of resolution 3 in which a site lies, as the 6 significant hexadecimal digits of its index (the index is the region followed by
 * `fffffffff`). The ids of the region's sites, reservations and events contain it.
 */
export type Region = string;

/** The network that a key sees, as it is written in ids. */
export type ModeName = "live" | "test";

const regionClass = "8[0-9a-f]{5}";
const siteIdPattern = new RegExp(`^site_(${regionClass})_(${base32Class}{1,7})$`);
const bundleIdPattern = new RegExp(`^bdl_(${regionClass})_(${base32Class}{16})$`);
const reservationIdPattern = new RegExp(`^res_(${regionClass})_(${base32Class}{16})$`);

/** The id of the site with a number, counted per region from 1. */
export function formatSiteId(region: Region, siteNumber: number): string {
  return `site_${region}_${encodeBase32(siteNumber)}`;
}

/** Region and number of a site, or undefined where the text is no site id. */
export function parseSiteId(text: string): { region: Region; siteNumber: number } | undefined {
  const match = siteIdPattern.exec(text);
  if (match === null) return undefined;
  const [, region = "", digits = ""] = match;
  const siteNumber = decodeBase32(digits);
  // A number has one spelling only, else one site would have several ids.
  if (siteNumber > 0xffffffff || siteNumber === 0 || encodeBase32(siteNumber) !== digits) return undefined;
  return { region, siteNumber };
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
