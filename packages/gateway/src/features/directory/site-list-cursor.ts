import { hash } from "node:crypto";
import type { ListSitesRequest, ModeName, Region } from "@petak/protocol";
import { invalidCursor } from "../feed/invalid-cursor.ts";

/** Whose list a cursor continues. */
export interface SiteListScope extends Pick<ListSitesRequest, "countryCodes" | "operatorIds"> {
  readonly storeCode: string;
  readonly mode: ModeName;
}

/** Position in the list of sites. The list is read in rounds, each over all regions in ascending order. Times in s since 1970. */
export interface SiteListCursor {
  /** All changes before this time were read. In the first round: when it began. */
  readonly knownAt: number;
  /** When the round began. */
  readonly begunAt: number;
  /** The region where the round continues. Undefined: it is complete. */
  readonly from: Region | undefined;
  /** How far each region was read: the sequence of a change, above 0. */
  readonly sequences: ReadonlyMap<Region, number>;
}

/** First byte of every cursor. Changes with the layout. */
const version = 1;

/** Length of the hash of the scope. It detects cursors that are used by mistake; a forged cursor spoils the forger's own copy. */
const scopeBytes = 5;

/** Version, scope, the two times, and the region where the round continues: u8 1 if there is one, u16. */
const headBytes = 1 + scopeBytes + 4 + 4 + 3;

/** A region, of which all names begin alike, as u16, and its sequence as u32. */
const entryBytes = 6;
const regionStart = "83";

/** Encodes a cursor, opaque to callers. */
export function encodeSiteListCursor(scope: SiteListScope, { knownAt, begunAt, from, sequences }: SiteListCursor): string {
  const bytes = Buffer.alloc(headBytes + entryBytes * sequences.size);
  bytes.writeUInt8(version);
  scopeHash(scope).copy(bytes, 1);
  let at = bytes.writeUInt32BE(knownAt, 1 + scopeBytes);
  at = bytes.writeUInt32BE(begunAt, at);
  at = bytes.writeUInt8(from === undefined ? 0 : 1, at);
  at = bytes.writeUInt16BE(from === undefined ? 0 : regionNumber(from), at);
  for (const region of [...sequences.keys()].sort()) {
    at = bytes.writeUInt16BE(regionNumber(region), at);
    at = bytes.writeUInt32BE(sequences.get(region) ?? 0, at);
  }
  return bytes.toString("base64url");
}

/**
 * Decodes a cursor.
 *
 * @throws {PetakError} CURSOR_INVALID if {@link encodeSiteListCursor} did not make it for this scope.
 */
export function decodeSiteListCursor(scope: SiteListScope, text: string): SiteListCursor {
  const bytes = Buffer.from(text, "base64url");
  const isWhole = bytes.length >= headBytes && (bytes.length - headBytes) % entryBytes === 0 && bytes.toString("base64url") === text;
  if (!isWhole || bytes[0] !== version || !bytes.subarray(1, 1 + scopeBytes).equals(scopeHash(scope))) throw invalidCursor();
  const sequences = new Map<Region, number>();
  for (let at = headBytes; at < bytes.length; at += entryBytes) {
    sequences.set(regionOf(bytes.readUInt16BE(at)), bytes.readUInt32BE(at + 2));
  }
  const times = 1 + scopeBytes;
  return {
    knownAt: bytes.readUInt32BE(times),
    begunAt: bytes.readUInt32BE(times + 4),
    from: bytes[times + 8] === 1 ? regionOf(bytes.readUInt16BE(times + 9)) : undefined,
    sequences,
  };
}

function regionNumber(region: Region): number {
  return Number.parseInt(region.slice(regionStart.length), 16);
}

function regionOf(number: number): Region {
  return regionStart + number.toString(16).padStart(4, "0");
}

function scopeHash({ storeCode, mode, countryCodes, operatorIds }: SiteListScope): Buffer {
  const scope = JSON.stringify([storeCode, mode, [...countryCodes].sort(), [...operatorIds].sort()]);
  return Buffer.from(hash("sha256", scope), "hex").subarray(0, scopeBytes);
}
