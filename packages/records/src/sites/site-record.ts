import { fromBinary } from "@bufbuild/protobuf";
import { compileEncoder, type Site, SiteSchema } from "@petak/protocol";

/** What is stored of a site beside its counts. */
export interface SiteRecord {
  site: Site;
  /** Its index cell. */
  cell: string;
  /** Whether it is filed in the index, and so takes reservations. */
  isOffered: boolean;
}

/** Bytes before the message: u32 revision, u8 1 where the site is filed, its cell as u64 with the most significant byte first. */
const headBytes = 13;

const encodeSite = compileEncoder(SiteSchema);

/** A site's record: head and message. What an operator sends beyond the protocol is not kept: it would be a store for anything. */
export function encodeSiteRecord(record: SiteRecord): Buffer {
  return Buffer.concat([siteRecordHead(record), encodeSite(record.site)]);
}

/** The head of a site's record. Scripts compare it with what is stored: another means that the site was written meanwhile. */
export function siteRecordHead({ site, cell, isOffered }: SiteRecord): Buffer {
  const head = Buffer.alloc(headBytes);
  head.writeUInt32LE(site.revision, 0);
  head.writeUInt8(isOffered ? 1 : 0, 4);
  head.write(cell.padStart(16, "0"), 5, "hex");
  return head;
}

/** Reads what {@link encodeSiteRecord} wrote. */
export function decodeSiteRecord(bytes: Buffer): SiteRecord {
  return {
    site: fromBinary(SiteSchema, bytes.subarray(headBytes)),
    cell: bytes.toString("hex", 5, headBytes).replace(/^0/, ""),
    isOffered: bytes[4] === 1,
  };
}
