import { fromBinary } from "@bufbuild/protobuf";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import {
  decodeBase32,
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
import { type ShortIds, termsNumberText } from "./short-ids.ts";
import { storedBytes } from "./stored-bytes.ts";
import { entryBytes, packEntry, unpackEntry } from "./stream-entry.ts";

/** Bytes before the message: u32 revision, u16 length of the message. lua/includes/reservation-record.lua reads and writes the same. */
const headBytes = 6;

/** The most bytes of head and message. The chain follows them in the record. */
export const reservationMaxBytes = 4608;

/** A reservation with the ids of its events' entries in the region's stream, oldest first. */
export interface ReservationWithChain {
  reservation: Reservation;
  chain: readonly string[];
}

/**
 * Encodes a reservation as a stored message: with the number of its terms in place of their id, and without what {@link decodeReservationMessage} derives
 * from other fields. Unknown fields are dropped.
 */
export function encodeReservationMessage(reservation: Reservation, siteIds: SiteIds, termsNumber: number): Buffer {
  const { participantId, depositor, collector, createdAt, updatedAt } = reservation;
  const stored = { ...reservation };
  const region = parseReservationId(reservation.reservationId)?.region;
  stored.siteId = siteIds.shorten(reservation.siteId, region);
  stored.wantedSiteId = siteIds.shorten(reservation.wantedSiteId, region);
  if (stored.siteChange !== undefined) {
    stored.siteChange = { ...stored.siteChange, siteId: siteIds.shorten(stored.siteChange.siteId, region) };
  }
  if (stored.queuedSiteIds.length > 0) stored.queuedSiteIds = stored.queuedSiteIds.map((siteId) => siteIds.shorten(siteId, region));
  stored.termsId = termsNumberText(termsNumber);
  stored.reservationId = "";
  if (depositor !== undefined) stored.depositor = withoutOwnId(depositor, participantId);
  if (collector !== undefined) stored.collector = withoutOwnId(collector, participantId);
  if (isSameTime(createdAt, updatedAt)) stored.updatedAt = undefined;
  // Most holds are soft, and a field would take two bytes in each.
  if (stored.holdKind === HoldKind.SOFT) stored.holdKind = HoldKind.UNSPECIFIED;
  return storedBytes(ReservationSchema, stored);
}

/**
 * Encodes the head and the message of a reservation's record.
 *
 * @throws {RangeError} if they are longer than {@link reservationMaxBytes}.
 */
export async function encodeReservation(reservation: Reservation, { siteIds, terms }: ShortIds): Promise<Buffer> {
  const message = encodeReservationMessage(reservation, siteIds, await terms.numberOf(reservation.termsId));
  if (message.length > reservationMaxBytes - headBytes)
    throw new RangeError(`a reservation of ${message.length} bytes, at most ${reservationMaxBytes - headBytes}`);
  const head = Buffer.alloc(headBytes);
  head.writeUInt32LE(reservation.revision);
  head.writeUInt16LE(message.length, 4);
  return Buffer.concat([head, message]);
}

/** A stored reservation is no message of this protocol. */
export class InvalidReservation extends Error {
  override readonly name = "InvalidReservation";
}

/** Decodes the reservation of a record. The record may be cut off after the message. Rejects as {@link decodeReservationMessage}. */
export async function decodeReservation(region: Region, handle: string, record: Buffer, ids: ShortIds): Promise<Reservation> {
  return await decodeReservationMessage(region, handle, record.subarray(headBytes, headBytes + record.readUInt16LE(4)), ids);
}

/** Decodes a stored message. Rejects with an InvalidReservation if it is none, or with the failure of reading its terms. */
export async function decodeReservationMessage(
  region: Region,
  handle: string,
  message: Uint8Array,
  { siteIds, terms }: ShortIds,
): Promise<Reservation> {
  const reservation = parsed(region, handle, message);
  const { participantId, depositor, collector } = reservation;
  reservation.reservationId = formatReservationId(region, handle);
  reservation.siteId = siteIds.lengthen(reservation.siteId, region);
  reservation.wantedSiteId = siteIds.lengthen(reservation.wantedSiteId, region);
  if (reservation.siteChange !== undefined) reservation.siteChange.siteId = siteIds.lengthen(reservation.siteChange.siteId, region);
  reservation.queuedSiteIds = reservation.queuedSiteIds.map((siteId) => siteIds.lengthen(siteId, region));
  reservation.termsId = await terms.idOf(decodeBase32(reservation.termsId));
  if (depositor !== undefined) addOwnId(depositor, participantId);
  if (collector !== undefined) addOwnId(collector, participantId);
  reservation.updatedAt ??= reservation.createdAt;
  if (reservation.holdKind === HoldKind.UNSPECIFIED) reservation.holdKind = HoldKind.SOFT;
  return reservation;
}

function parsed(region: Region, handle: string, message: Uint8Array): Reservation {
  try {
    return fromBinary(ReservationSchema, message);
  } catch (cause) {
    throw new InvalidReservation(`the record of ${formatReservationId(region, handle)} is invalid`, { cause });
  }
}

/** Decodes the chain of a complete record: the entries of the reservation's events, oldest first. See {@link splitChain} for the first of them. */
export function decodeChain(record: Buffer): string[] {
  const entries: string[] = [];
  for (let at = headBytes + record.readUInt16LE(4); at < record.length; at += entryBytes) entries.push(unpackEntry(record, at));
  return entries;
}

/** The positions of a reservation's events in the region's stream. */
export interface ChainEntries {
  /** Oldest first. */
  readonly entries: string[];
  /** The number of earlier events, which the record does not list. */
  readonly earlierCount: number;
}

/** Splits a chain. If it does not list all events, its first element is no entry: it has time 0, and its number is the count of the missing events. */
export function splitChain(chain: readonly string[]): ChainEntries {
  const [first = ""] = chain;
  if (!first.startsWith("0-")) return { entries: [...chain], earlierCount: 0 };
  return { entries: chain.slice(1), earlierCount: Number(first.slice(2)) };
}

/** Encodes a complete record: head, message and chain. */
export async function encodeRecord({ reservation, chain }: ReservationWithChain, ids: ShortIds): Promise<Buffer> {
  return Buffer.concat([await encodeReservation(reservation, ids), ...chain.map(packEntry)]);
}

/** Leaves out a party's id if it is that of the participant that made the reservation. */
function withoutOwnId(party: Party, participantId: string): Party {
  const isImplied = party.kind === PartyKind.PARTICIPANT && party.participantId === participantId;
  return isImplied ? { ...party, participantId: "" } : party;
}

function isSameTime(a: Timestamp | undefined, b: Timestamp | undefined): boolean {
  return a !== undefined && b !== undefined && a.seconds === b.seconds && a.nanos === b.nanos;
}

function addOwnId(party: Party, participantId: string): void {
  if (party.kind === PartyKind.PARTICIPANT && party.participantId === "") party.participantId = participantId;
}
