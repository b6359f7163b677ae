import { decodeBase32, encodeBase32, formatSiteId, parseSiteId, type Region, type SiteIdParts } from "@petak/protocol";

/**
 * The site ids of one store. Records contain them in a short form: without the store code, and in a record of the same region also without
 * the region.
 */
export interface SiteIds {
  /** The code that distinguishes the store's ids from those of other stores. */
  readonly storeCode: string;
  /** Formats the id of one of the store's sites. */
  format(region: Region, siteNumber: number): string;
  /** Region and number of one of the store's sites; undefined if the text is another store's id, or not a site id. */
  parse(siteId: string): SiteIdParts | undefined;
  /** The same for an id from a record. @throws {RangeError} if it is not the store's. */
  require(siteId: string): SiteIdParts;
  /** The short form of an id in a record of a region, or of no region. Another store's id is returned unchanged. */
  shorten(siteId: string, region?: Region): string;
  /** Restores an id from its short form. */
  lengthen(short: string, region?: Region): string;
}

/**
 * A short form: an id without the store code, or a number alone. Full ids are longer, and every other id has a separator after its prefix.
 */
const shortPattern = /^(?:site_(83[0-9a-f]{4})_)?([1-9a-hjkmnp-tv-z][0-9a-hjkmnp-tv-z]{0,5})$/;

/** Creates the site ids of the store with a code. */
export function createSiteIds(storeCode: string): SiteIds {
  function parse(siteId: string): SiteIdParts | undefined {
    const id = parseSiteId(siteId);
    return id?.storeCode === storeCode ? id : undefined;
  }

  return {
    storeCode,
    format: (region, siteNumber) => formatSiteId(region, storeCode, siteNumber),
    parse,
    require(siteId) {
      const id = parse(siteId);
      if (id === undefined) throw new RangeError(`'${siteId}' is not a site of the store ${storeCode}`);
      return id;
    },
    shorten(siteId, region) {
      const id = parse(siteId);
      if (id === undefined) return siteId;
      const number = encodeBase32(id.siteNumber);
      return id.region === region ? number : `site_${id.region}_${number}`;
    },
    lengthen(short, region) {
      const [, itsRegion = region, number] = shortPattern.exec(short) ?? [];
      return itsRegion === undefined || number === undefined ? short : formatSiteId(itsRegion, storeCode, decodeBase32(number));
    },
  };
}
