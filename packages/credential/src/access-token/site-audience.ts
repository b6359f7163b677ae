import { packBase32, parseSiteId, type SiteIdParts, unpackBase32 } from "@petak/protocol";
import { decodeBase64url, encodeBase64url } from "../bytes/base64url.ts";

/** What every region begins with: the H3 mode and the resolution 3. A token leaves it out. */
const regionStart = "83";

/** Bytes of a region after that. */
const regionBytes = 2;

/** Bytes of store code and site number. */
const localBytes = 10;

/** A site of which a token tells. */
export interface AudienceSite extends SiteIdParts {
  readonly siteId: string;
}

/**
 * The `aud` of a site's tokens: 16 characters for an id of 28, for which a token has no room. It is base64url of the last four hexadecimal digits of the
 * region and of the 80 bits of store code and number.
 *
 * @throws {RangeError} where the text is no site id.
 */
export function siteAudience(siteId: string): string {
  const site = parseSiteId(siteId);
  if (site === undefined) throw new RangeError(`siteId '${siteId}' is no site id`);
  const bytes = new Uint8Array(regionBytes + localBytes);
  new DataView(bytes.buffer).setUint16(0, Number.parseInt(site.region.slice(regionStart.length), 16));
  bytes.set(packBase32(siteId.slice(siteId.lastIndexOf("_") + 1)), regionBytes);
  return encodeBase64url(bytes);
}

/** The site of an `aud`, or undefined where it is none. */
export function siteOfAudience(audience: string): AudienceSite | undefined {
  const bytes = decodeBase64url(audience);
  if (bytes?.length !== regionBytes + localBytes) return undefined;
  const region = new DataView(bytes.buffer, bytes.byteOffset).getUint16(0).toString(16).padStart(4, "0");
  const siteId = `site_${regionStart}${region}_${unpackBase32(bytes.subarray(regionBytes))}`;
  const site = parseSiteId(siteId);
  return site && { ...site, siteId };
}
