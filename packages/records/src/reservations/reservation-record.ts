import { fromBinary } from "@bufbuild/protobuf";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import {
  decodeBase32,
  encodeBase32,
  formatReservationId,
  HoldKind,
  type Party,
  PartyKind,
  parseReservationId,
  type Region,
  type Reservation,
  ReservationSchema,
} from "@petak/protocol";
import type { SiteIds } from "@petak/redis";
import { storedBytes } from "../bytes/stored-bytes.ts";
import type { TermsNumbers } from "../terms/terms-records.ts";

/** Bytes before the message: u32 revision, u16 length of the message. lua/includes/reservation-record.lua has the same. */
const headBytes = 6;

/** Bytes of an entry of the chain: u48 and u32, the two numbers of an entry in the region's stream. */
const chainEntryBytes = 10;

/** A reservation as a participant may make it at most; what follows in the record is its chain. */
export const reservationMaxBytes = 4096;

/** The ids that records keep short. */
export interface ShortIds {
  readonly siteIds: SiteIds;
  readonly terms: TermsNumbers;
}

/**
 * The message of a reservation as it is stored: without what follows from the rest, and with the number of its terms in place of their id. What a partner
 * sends beyond the protocol is not kept.
 */
export function encodeReservationMessage(reservation: Reservation, siteIds: SiteIds, termsNumber: number): Buffer {
  const { participantId, depositor, collector, createdAt, updatedAt } = reservation;
  const stored = { ...reservation };
  const region = parseReservationId(reservation.reservationId)?.region;
  stored.siteId = siteIds.shorten(reservation.siteId, region);
  stored.wantedSiteId = siteIds.shorten(reservation.wantedSiteId, region);
  if (stored.queuedSiteIds.length > 0) stored.queuedSiteIds = stored.queuedSiteIds.map((siteId) => siteIds.shorten(siteId, region));
  stored.termsId = termsNumberText(termsNumber);
  stored.reservationId = "";
  if (depositor !== undefined) stored.depositor = withoutId(depositor, participantId);
  if (collector !== undefined) stored.collector = withoutId(collector, participantId);
  if (isSameTime(createdAt, updatedAt)) stored.updatedAt = undefined;
  // Most holds are soft: what says so would take two bytes in each.
  if (stored.holdKind === HoldKind.SOFT) stored.holdKind = HoldKind.UNSPECIFIED;
  return storedBytes(ReservationSchema, stored);
}

/** The number of terms as a reservation's message keeps it. */
export function termsNumberText(termsNumber: number): string {
  return termsNumber === 0 ? "" : encodeBase32(termsNumber);
}

/** Head and message of a reservation's record. */
export async function encodeReservation(reservation: Reservation, { siteIds, terms }: ShortIds): Promise<Buffer> {
  const message = encodeReservationMessage(reservation, siteIds, await terms.numberOf(reservation.termsId));
  if (message.length > reservationMaxBytes - headBytes)
    throw new RangeError(`a reservation of ${message.length} bytes, at most ${reservationMaxBytes - headBytes}`);
  const head = Buffer.alloc(headBytes);
  head.writeUInt32LE(reservation.revision);
  head.writeUInt16LE(message.length, 4);
  return Buffer.concat([head, message]);
}

/** Reads a record, or as much of one as has the message. */
export async function decodeReservation(region: Region, handle: string, record: Buffer, ids: ShortIds): Promise<Reservation> {
  return await decodeReservationMessage(region, handle, record.subarray(headBytes, headBytes + record.readUInt16LE(4)), ids);
}

/** Reads what {@link encodeReservationMessage} wrote. */
export async function decodeReservationMessage(
  region: Region,
  handle: string,
  message: Uint8Array,
  { siteIds, terms }: ShortIds,
): Promise<Reservation> {
  const reservation = fromBinary(ReservationSchema, message);
  const { participantId, depositor, collector } = reservation;
  reservation.reservationId = formatReservationId(region, handle);
  reservation.siteId = siteIds.lengthen(reservation.siteId, region);
  reservation.wantedSiteId = siteIds.lengthen(reservation.wantedSiteId, region);
  reservation.queuedSiteIds = reservation.queuedSiteIds.map((siteId) => siteIds.lengthen(siteId, region));
  reservation.termsId = await terms.idOf(decodeBase32(reservation.termsId));
  if (depositor !== undefined) addId(depositor, participantId);
  if (collector !== undefined) addId(collector, participantId);
  reservation.updatedAt ??= reservation.createdAt;
  if (reservation.holdKind === HoldKind.UNSPECIFIED) reservation.holdKind = HoldKind.SOFT;
  return reservation;
}

/**
 * The entries of a whole record's chain in the region's stream, oldest first. Where the record has left some out, how many stands before them, see
 * {@link splitChain}.
 */
export function decodeChain(record: Buffer): string[] {
  const entries: string[] = [];
  for (let at = headBytes + record.readUInt16LE(4); at < record.length; at += chainEntryBytes) {
    entries.push(`${record.readUIntLE(at, 6)}-${record.readUInt32LE(at + 6)}`);
  }
  return entries;
}

/** Where the events of a reservation are. */
export interface ChainEntries {
  /** Their entries in the region's stream, oldest first. */
  readonly entries: string[];
  /** How many events there were before them that the record has left out. */
  readonly earlierCount: number;
}

/** Tells a chain's entries from what may stand before them: an entry of time 0, at which nothing was recorded, whose number says how many were left out. */
export function splitChain(chain: readonly string[]): ChainEntries {
  const [first = ""] = chain;
  if (!first.startsWith("0-")) return { entries: [...chain], earlierCount: 0 };
  return { entries: chain.slice(1), earlierCount: Number(first.slice(2)) };
}

/** A whole record: what {@link encodeReservation} writes, and its chain. */
export async function encodeRecord(reservation: Reservation, chain: readonly string[], ids: ShortIds): Promise<Buffer> {
  return Buffer.concat([await encodeReservation(reservation, ids), ...chain.map(encodeChainEntry)]);
}

/** An entry of the region's stream as chains have it. */
export function encodeChainEntry(entry: string): Buffer {
  const [timeMs = 0, number = 0] = entry.split("-").map(Number);
  const bytes = Buffer.alloc(chainEntryBytes);
  bytes.writeUIntLE(timeMs, 0, 6);
  bytes.writeUInt32LE(number, 6);
  return bytes;
}

/** The participant that made the reservation needs no second naming as a party to it. */
function withoutId(party: Party, participantId: string): Party {
  const isImplied = party.kind === PartyKind.PARTICIPANT && party.participantId === participantId;
  return isImplied ? { ...party, participantId: "" } : party;
}

function isSameTime(a: Timestamp | undefined, b: Timestamp | undefined): boolean {
  return a !== undefined && b !== undefined && a.seconds === b.seconds && a.nanos === b.nanos;
}

function addId(party: Party, participantId: string): void {
  if (party.kind === PartyKind.PARTICIPANT && party.participantId === "") party.participantId = participantId;
}
