import { decodeBase32, encodeBase32, formatSiteId, parseSiteId, type Region, type SiteIdParts } from "@petak/protocol";

/**
 * The ids of the sites of one store. In its records they are kept short: without what all of them have in common, and without the region where the record
 * is of that region.
 */
export interface SiteIds {
  /** What tells the store's ids from those of other stores. */
  readonly storeCode: string;
  /** The id of one of the store's sites. */
  format(region: Region, siteNumber: number): string;
  /** Region and number of one of the store's sites; undefined where the text is another store's id, or none. */
  parse(siteId: string): SiteIdParts | undefined;
  /** The same of an id from the records. @throws {RangeError} where it is none of the store's. */
  require(siteId: string): SiteIdParts;
  /** The id as a record of a region, or of none, keeps it. Another store's id stays as it is. */
  shorten(siteId: string, region?: Region): string;
  /** The id of which {@link shorten} kept the rest. */
  lengthen(kept: string, region?: Region): string;
}

/** An id without the store code, or a number alone. Full ids are longer, and every other id has a separator after its prefix. */
const keptPattern = /^(?:site_(83[0-9a-f]{4})_)?([1-9a-hjkmnp-tv-z][0-9a-hjkmnp-tv-z]{0,5})$/;

/** The ids of the sites of the store with a code. */
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
      if (id === undefined) throw new RangeError(`'${siteId}' is no site of the store ${storeCode}`);
      return id;
    },
    shorten(siteId, region) {
      const id = parse(siteId);
      if (id === undefined) return siteId;
      const number = encodeBase32(id.siteNumber);
      return id.region === region ? number : `site_${id.region}_${number}`;
    },
    lengthen(kept, region) {
      const [, itsRegion = region, number] = keptPattern.exec(kept) ?? [];
      return itsRegion === undefined || number === undefined ? kept : formatSiteId(itsRegion, storeCode, decodeBase32(number));
    },
  };
}
