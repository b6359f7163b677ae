import { decodeSiteRecord, type SiteRecord } from "./site-record.ts";

/** Records as they were decoded last, which nobody may change. */
export interface DecodedSites {
  /** The record that the bytes are of. */
  decode(siteId: string, bytes: Buffer): SiteRecord;
}

/** Most bytes of records that are kept decoded. Decoded they take some five times as much: a site has up to 500 compartments. */
const decodedMaxBytes = 8 * 1024 * 1024;

/**
 * Creates the memory of decoded sites. The same sites are read again and again, whole lists of them by anybody, and decoding one takes much longer than
 * comparing its bytes.
 */
export function createDecodedSites(maxBytes = decodedMaxBytes): DecodedSites {
  const decoded = new Map<string, { bytes: Buffer; record: SiteRecord }>();
  let size = 0;

  function forget(siteId: string): void {
    size -= decoded.get(siteId)?.bytes.length ?? 0;
    decoded.delete(siteId);
  }

  return {
    decode(siteId, bytes) {
      const known = decoded.get(siteId);
      if (known?.bytes.equals(bytes) === true) return known.record;
      forget(siteId);
      const record = decodeSiteRecord(siteId, bytes);
      decoded.set(siteId, { bytes, record });
      size += bytes.length;
      for (const oldest of decoded.keys()) {
        if (size <= maxBytes) break;
        forget(oldest);
      }
      return record;
    },
  };
}
