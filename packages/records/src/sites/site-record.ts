import { create, fromBinary } from "@bufbuild/protobuf";
import { type Site, SiteLifecycle, SiteSchema } from "@petak/protocol";
import { storedBytes } from "../encoding/stored-bytes.ts";

/** A stored site without its counts. Its position in the index is internal to this package. */
export interface FiledSite {
  readonly site: Site;
  /** Whether the site is in the index and takes reservations. */
  readonly isOffered: boolean;
}

/** A site's record. */
export interface SiteRecord extends FiledSite {
  /** The site's index cell. */
  readonly cell: string;
}

/**
 * The index cell of a site that the store returned.
 *
 * @throws {TypeError} if the object is not one that the store returned.
 */
export function cellOf(filed: FiledSite): string {
  const { cell } = filed as SiteRecord;
  if (typeof cell !== "string") throw new TypeError(`site ${filed.site.siteId} was not returned by the store`);
  return cell;
}

/** Bytes before the message: u32 revision, little-endian; u8 1 if the site is in the index; its cell as u64, big-endian. */
const headBytes = 13;

/** Encodes a site's record: head and message. The message leaves out the site's id, which is in the key. */
export function encodeSiteRecord(record: SiteRecord): Buffer {
  return Buffer.concat([siteRecordHead(record), storedBytes(SiteSchema, { ...record.site, siteId: "" })]);
}

/** The head of a site's record. Scripts compare it with the stored one to detect that the site was changed concurrently. */
export function siteRecordHead(filed: FiledSite): Buffer {
  const { site, isOffered } = filed;
  const head = Buffer.alloc(headBytes);
  head.writeUInt32LE(site.revision, 0);
  head.writeUInt8(isOffered ? 1 : 0, 4);
  head.write(cellOf(filed).padStart(16, "0"), 5, "hex");
  return head;
}

/** Decodes the record of the site with an id. */
export function decodeSiteRecord(siteId: string, bytes: Buffer): SiteRecord {
  const site = fromBinary(SiteSchema, bytes.subarray(headBytes));
  site.siteId = siteId;
  return {
    site,
    cell: bytes.toString("hex", 5, headBytes).replace(/^0/, ""),
    isOffered: bytes[4] === 1,
  };
}

/** Stands for a site that has ended, see retired-sites.ts, where a reservation that has ended too names it: nothing is known of it but that it is retired. */
export function endedSite(siteId: string): FiledSite {
  const record: SiteRecord = { site: create(SiteSchema, { siteId, lifecycle: SiteLifecycle.DECOMMISSIONED }), isOffered: false, cell: "" };
  return record;
}
