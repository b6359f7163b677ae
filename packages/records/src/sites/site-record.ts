import { fromBinary } from "@bufbuild/protobuf";
import { type Site, SiteSchema } from "@petak/protocol";
import { storedBytes } from "../bytes/stored-bytes.ts";

/** A stored site, without its counts. Where it lies in the index is known to this package alone. */
export interface FiledSite {
  readonly site: Site;
  /** Whether it is filed in the index, and so takes reservations. */
  readonly isOffered: boolean;
}

/** What is stored of a site beside its counts. */
export interface SiteRecord extends FiledSite {
  /** Its index cell. */
  readonly cell: string;
}

/**
 * The index cell of a site that the store returned.
 *
 * @throws {TypeError} where it is not as the store returned it.
 */
export function cellOf(filed: FiledSite): string {
  const { cell } = filed as SiteRecord;
  if (typeof cell !== "string") throw new TypeError(`site ${filed.site.siteId} was not returned by the store`);
  return cell;
}

/** Bytes before the message: u32 revision, u8 1 where the site is filed, its cell as u64 with the most significant byte first. */
const headBytes = 13;

/**
 * A site's record: head and message, without the id, under which it is kept. What an operator sends beyond the protocol is not kept: it would be a store for
 * anything.
 */
export function encodeSiteRecord(record: SiteRecord): Buffer {
  return Buffer.concat([siteRecordHead(record), storedBytes(SiteSchema, { ...record.site, siteId: "" })]);
}

/** The head of a site's record. Scripts compare it with what is stored: another means that the site was written meanwhile. */
export function siteRecordHead(filed: FiledSite): Buffer {
  const { site, isOffered } = filed;
  const head = Buffer.alloc(headBytes);
  head.writeUInt32LE(site.revision, 0);
  head.writeUInt8(isOffered ? 1 : 0, 4);
  head.write(cellOf(filed).padStart(16, "0"), 5, "hex");
  return head;
}

/** Reads what {@link encodeSiteRecord} wrote of the site with an id. */
export function decodeSiteRecord(siteId: string, bytes: Buffer): SiteRecord {
  const site = fromBinary(SiteSchema, bytes.subarray(headBytes));
  site.siteId = siteId;
  return {
    site,
    cell: bytes.toString("hex", 5, headBytes).replace(/^0/, ""),
    isOffered: bytes[4] === 1,
  };
}
