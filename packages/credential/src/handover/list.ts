import { sha256 } from "#platform/sha256";
import { decodeBase64url, encodeBase64url } from "../bytes/base64url.ts";
import { isRecord, parseCanonicalJson } from "../bytes/canonical-json.ts";
import { framed } from "../bytes/digest.ts";
import { rootOf } from "./merkle.ts";

/** Which way the parcels go: IN, the courier gives them to the site; OUT, the site gives them to the courier. */
export type HandoverDirection = "IN" | "OUT";

/** What became of a parcel. OK and DAMAGED: it was handed over. REFUSED: it stays with whoever brought it. */
export type HandoverCondition = "OK" | "DAMAGED" | "REFUSED";

/** The reasons that each condition may have. */
export const handoverReasons = {
  OK: [""],
  DAMAGED: ["CRUSHED", "LEAKING", "OPENED", "WET", "OTHER"],
  REFUSED: ["DAMAGED", "FORBIDDEN", "NO_PLACE", "NOT_ANNOUNCED", "NOT_FOUND", "TOO_LARGE", "UNREADABLE", "WRONG_SITE", "OTHER"],
} as const satisfies Record<HandoverCondition, readonly string[]>;

export type HandoverReason = (typeof handoverReasons)[HandoverCondition][number];

/** Which parcel: exactly one of both is not empty. */
export interface HandoverParcel {
  /** Its reservation. Empty: nobody there knows one. */
  readonly reservationId: string;
  /** 1 to 64 characters of ASCII from space to `~`, as a scanner read them. */
  readonly labelCode: string;
}

/** What became of one parcel. */
export interface HandoverEntry extends HandoverParcel {
  readonly condition: HandoverCondition;
  /** One of {@link handoverReasons}. Empty: OK. */
  readonly reason: HandoverReason;
}

/** All parcels that a courier and a site handed over to each other at once. */
export interface HandoverList {
  readonly siteId: string;
  readonly direction: HandoverDirection;
  /** The courier's participant. */
  readonly courierId: string;
  /** 16 random bytes in base64url, so that no two lists have one hash. */
  readonly nonce: string;
  /** When the site signed it, by the clock of its agent, in ms since 1970. */
  readonly atMs: number;
  /** 1 to {@link handoverMaxEntries}, each parcel once, in the order of {@link inHandoverOrder}. */
  readonly entries: readonly HandoverEntry[];
}

/** The most parcels of a list. */
export const handoverMaxEntries = 200;

const latestMs = 9_999_999_999_999;
const listMembers = "version,site_id,direction,courier_id,nonce,at_ms,entries";

/** Entries in the order of a list: by reservation, then by label code. Those without a reservation come first. */
export function inHandoverOrder<Parcel extends HandoverParcel>(parcels: readonly Parcel[]): Parcel[] {
  return [...parcels].sort((one, other) => compare(one.reservationId, other.reservationId) || compare(one.labelCode, other.labelCode));
}

/** A new nonce for a list. */
export function newHandoverNonce(): string {
  return encodeBase64url(crypto.getRandomValues(new Uint8Array(16)));
}

/** A list as both sides keep it: JSON in its one spelling. Puts the entries in order. Throws a TypeError if it is none that {@link readHandoverList} takes. */
export function handoverListText(list: HandoverList): string {
  const text = JSON.stringify({
    version: 1,
    site_id: list.siteId,
    direction: list.direction,
    courier_id: list.courierId,
    nonce: list.nonce,
    at_ms: list.atMs,
    entries: inHandoverOrder(list.entries).map(entryMembers),
  });
  if (readHandoverList(text) === undefined) throw new TypeError("no hand-over list: an entry, its number, or a member is out of range");
  return text;
}

/** Reads a list. Undefined if it is not in its one spelling, or a member is out of range. */
export function readHandoverList(text: string): HandoverList | undefined {
  const members = parseCanonicalJson(text);
  if (!isRecord(members) || Object.keys(members).join() !== listMembers || members.version !== 1) return undefined;
  const { site_id, direction, courier_id, nonce, at_ms, entries } = members;
  if (!isHandoverSite(site_id) || !isDirection(direction) || !isCourier(courier_id) || !isNonce(nonce) || !isTimeMs(at_ms))
    return undefined;
  if (!Array.isArray(entries) || entries.length === 0 || entries.length > handoverMaxEntries) return undefined;
  const read = entries.map(readEntry);
  const known = read.filter((entry) => entry !== undefined);
  const isInOrder = known.every((entry, index) => index === 0 || compareParcels(known[index - 1], entry) < 0);
  if (known.length !== read.length || !isInOrder) return undefined;
  return { siteId: site_id, direction, courierId: courier_id, nonce, atMs: at_ms, entries: known };
}

/** The hash of an entry in a list: 32 bytes. */
export async function handoverEntryHash(nonce: string, entry: HandoverEntry): Promise<Uint8Array> {
  return await sha256(framed("petak-handover-entry", nonce, JSON.stringify(entryMembers(entry))));
}

/** The hashes of a list's entries, in the order of the list. */
export function handoverEntryHashes({ nonce, entries }: HandoverList): Promise<Uint8Array[]> {
  return Promise.all(inHandoverOrder(entries).map((entry) => handoverEntryHash(nonce, entry)));
}

/** The hash of a list: the root over its entries, in base64url, 43 characters. */
export async function handoverListHash(list: HandoverList): Promise<string> {
  return encodeBase64url(await rootOf(await handoverEntryHashes(list)));
}

/** How many entries of each condition a list has. */
export function countConditions(entries: readonly HandoverEntry[]): Record<HandoverCondition, number> {
  const counts = { OK: 0, DAMAGED: 0, REFUSED: 0 };
  for (const { condition } of entries) counts[condition]++;
  return counts;
}

/** Whether a reason is one of a condition's. */
export function isReasonOf(condition: HandoverCondition, reason: unknown): reason is HandoverReason {
  const reasons: readonly unknown[] = handoverReasons[condition];
  return reasons.includes(reason);
}

export function isCondition(value: unknown): value is HandoverCondition {
  return value === "OK" || value === "DAMAGED" || value === "REFUSED";
}

export function isDirection(value: unknown): value is HandoverDirection {
  return value === "IN" || value === "OUT";
}

export function isHandoverSite(value: unknown): value is string {
  return typeof value === "string" && /^site_[0-9a-z_]{1,35}$/.test(value);
}

export function isCourier(value: unknown): value is string {
  return typeof value === "string" && /^par_[0-9a-hjkmnp-tv-z]{16}$/.test(value);
}

export function isNonce(value: unknown): value is string {
  return typeof value === "string" && decodeBase64url(value)?.length === 16;
}

export function isTimeMs(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= latestMs;
}

function entryMembers({ reservationId, labelCode, condition, reason }: HandoverEntry): object {
  return { reservation_id: reservationId, label_code: labelCode, condition, reason };
}

function readEntry(value: unknown): HandoverEntry | undefined {
  if (!isRecord(value) || Object.keys(value).join() !== "reservation_id,label_code,condition,reason") return undefined;
  const { reservation_id, label_code, condition, reason } = value;
  const isParcel =
    (isText(reservation_id, /^res_[0-9a-z_]{1,60}$/) && label_code === "") ||
    (reservation_id === "" && isText(label_code, /^[ -~]{1,64}$/));
  if (!isParcel || !isCondition(condition) || !isReasonOf(condition, reason)) return undefined;
  return { reservationId: reservation_id as string, labelCode: label_code as string, condition, reason };
}

function isText(value: unknown, form: RegExp): value is string {
  return typeof value === "string" && form.test(value);
}

function compareParcels(one: HandoverParcel | undefined, other: HandoverParcel): number {
  if (one === undefined) return -1;
  return compare(one.reservationId, other.reservationId) || compare(one.labelCode, other.labelCode);
}

/** All characters are ASCII, so this is the order of the bytes too. */
function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
