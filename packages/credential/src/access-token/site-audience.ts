import { packBase32, parseSiteId, type SiteIdParts, unpackBase32 } from "@petak/protocol";
import { decodeBase64url, encodeBase64url } from "../bytes/base64url.ts";

/** Common prefix of all regions (H3 mode and resolution 3), which tokens omit. */
const regionStart = "83";

/** Bytes of the rest of a region. */
const regionBytes = 2;

/** Bytes of store code and site number together. */
const localBytes = 10;

export interface AudienceSite extends SiteIdParts {
  readonly siteId: string;
}

/**
 * The `aud` of a site's tokens: the site id, which is too long for a token, in 16 characters. Base64url of the region's last four hexadecimal digits and
 * of the 80 bits of store code and number.
 *
 * @throws {RangeError} if the text is not a site id.
 */
export function siteAudience(siteId: string): string {
  const site = parseSiteId(siteId);
  if (site === undefined) throw new RangeError(`siteId '${siteId}' is not a site id`);
  const bytes = new Uint8Array(regionBytes + localBytes);
  new DataView(bytes.buffer).setUint16(0, Number.parseInt(site.region.slice(regionStart.length), 16));
  bytes.set(packBase32(siteId.slice(siteId.lastIndexOf("_") + 1)), regionBytes);
  return encodeBase64url(bytes);
}

/** The site of an `aud`; undefined if it is malformed. */
export function siteOfAudience(audience: string): AudienceSite | undefined {
  const bytes = decodeBase64url(audience);
  if (bytes?.length !== regionBytes + localBytes) return undefined;
  const region = new DataView(bytes.buffer, bytes.byteOffset).getUint16(0).toString(16).padStart(4, "0");
  const siteId = `site_${regionStart}${region}_${unpackBase32(bytes.subarray(regionBytes))}`;
  const site = parseSiteId(siteId);
  return site && { ...site, siteId };
}
