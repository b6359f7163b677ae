import type { DatabaseSync } from "node:sqlite";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type Act, type Allowance, AllowanceSchema, type DeviceEvent, DeviceEventSchema } from "@petak/protocol";
import { type Delivery, DeliverySchema, type EntryResult, EntryResultSchema } from "@petak/protocol/counter";

import { createLeaseRecords, type LeaseRecords } from "./lease-records.ts";
import { createShopRecords, type ShopRecords } from "./shop-records.ts";

/** A hand-over to a person, or a take-in from one, at a store. */
export interface StoredHandOver {
  readonly handOverId: string;
  readonly placeId: string;
  readonly reservationId: string;
  readonly credentialId: string;
  readonly act: Act;
  /** Which of the parcels of its code it is, from 1, and how many there are. */
  readonly number: number;
  readonly parcels: number;
  /** The tablet and the clerk who have it in hand. */
  readonly tabletId: string;
  readonly clerkId: string;
  readonly beganAtMs: number;
}

/** What a clerk checked and was paid at a hand-over, of what the parcel asks for, and when that was if it is recorded later. */
export type Checked = Partial<Pick<DeviceEvent, "checksDone" | "cashCollected" | "occurredAt" | "offline">>;

/** When something happened, by the site's clock, if it was recorded later, and whether it was done without the agent. */
export interface EndedLater {
  readonly atMs?: number;
  readonly offline?: boolean;
}

/** What a store keeps of a parcel that came. */
export interface ShelfParcel {
  readonly reservationId: string;
  /** The code with which it was taken in. Empty: that of its place. */
  readonly label: string;
  readonly cameAtMs: number;
  /** Whether a courier is to take it, since its collector refused it. */
  readonly isForCourier: boolean;
  /** Whether it was missing and a clerk has found it: the gateway may take it for one in doubt. */
  readonly isFound: boolean;
}

/** A courier's delivery, with what both sides signed of it. */
export interface StoredDelivery {
  readonly isOpen: boolean;
  readonly delivery: Delivery;
  /** The courier's participant, once a parcel says it. Empty: unknown. */
  readonly courierId: string;
  /** The list as both sides keep it, and the site's statement of it. Empty: the count is not agreed. */
  readonly list: string;
  readonly siteStatement: string;
  /** The courier's answer. Empty: there is none. */
  readonly courierCode: string;
}

/** A clerk's session on a tablet. */
export interface StoredSession {
  readonly tokenHash: string;
  readonly tabletId: string;
  readonly clerkId: string;
  /** What stands for the PIN with which it began. */
  readonly pinId: string;
  readonly endsAtMs: number;
}

/** The wrong PINs of a clerk or a tablet, as of an agent's own {@link StoredLockOut}. */
export interface ClerkLock {
  readonly failures: number;
  readonly leftMs: number;
}

/** What an agent keeps of its store's counter. Call what belongs together within a transaction. */
export interface CounterRecords extends ShopRecords, LeaseRecords {
  /** Whether a parcel lies on a place of the shelf. */
  isOccupied(placeId: string): boolean;
  setOccupied(placeId: string, isOccupied: boolean): void;
  /** How often clerks have chosen a place themselves, less how often another when it was suggested. At least 0. */
  liking(placeId: string): number;
  setLiking(placeId: string, liking: number): void;

  /** The hand-overs that are under way, in the order in which they began. */
  openHandOvers(): StoredHandOver[];
  /** The one that is under way at a place. */
  openHandOverAt(placeId: string): StoredHandOver | undefined;
  beginHandOver(handOver: StoredHandOver): void;
  /** Ends one. @param clerkId who ends it */
  endHandOver(handOverId: string, clerkId: string, checked?: Checked): void;
  /** What was checked and paid at the last hand-over at a place. */
  checkedAt(placeId: string): Checked;
  /** When the last hand-over at a place ended, if that was recorded later. */
  endedAt(placeId: string): EndedLater;
  /** The clerk of the last hand-over at a place. Empty: there was none. */
  clerkAt(placeId: string): string;

  /** What came of an entry. Undefined: it was not taken. */
  result(entryId: string): EntryResult | undefined;
  /** Keeps what came of an entry, in place of an earlier result. */
  saveResult(result: EntryResult, takenAtMs: number): void;

  /** The deliveries that are under way, in the order in which they began. */
  openDeliveries(): StoredDelivery[];
  delivery(deliveryId: string): StoredDelivery | undefined;
  saveDelivery(delivery: StoredDelivery): void;

  parcel(reservationId: string): ShelfParcel | undefined;
  saveParcel(parcel: ShelfParcel): void;

  /** What was announced of a parcel when a clerk last had it in hand. Undefined: nothing. */
  announcedInHand(reservationId: string): Allowance | undefined;
  /** Keeps what was announced of a parcel, and of its credentials nothing, for when its reservation ends while the parcel is here. */
  keepInHand(allowance: Allowance, atMs: number): void;

  session(tokenHash: string): StoredSession | undefined;
  saveSession(session: StoredSession): void;
  removeSession(tokenHash: string): void;

  lock(subject: string): ClerkLock | undefined;
  /** No failures: it is removed. */
  saveLock(subject: string, lock: ClerkLock): void;

  /** Deletes what nobody asks for any more. @param beforeMs entries taken, sessions ended and hand-overs begun before it, and parcels that have left */
  forget(beforeMs: number): void;
}

/** How much longer lists of deliveries are kept, in ms: a year, in which somebody may ask. */
const listsKeptMs = 365 * 24 * 3_600_000;

/** Makes it. */
export function createCounterRecords(database: DatabaseSync): CounterRecords {
  const handOver = `
    SELECT hand_over_id AS handOverId, place_id AS placeId, reservation_id AS reservationId, credential_id AS credentialId, act, number, parcels,
      tablet_id AS tabletId, clerk_id AS clerkId, began_at_ms AS beganAtMs
    FROM hand_over`;
  const delivery = `
    SELECT is_open AS isOpen, message, courier_id AS courierId, list, site_statement AS siteStatement, courier_code AS courierCode FROM delivery`;
  const sql = {
    occupied: database.prepare("SELECT is_occupied AS isOccupied FROM shelf_place WHERE place_id = ?"),
    setOccupied: database.prepare(
      "INSERT INTO shelf_place (place_id, is_occupied) VALUES (?, ?) ON CONFLICT (place_id) DO UPDATE SET is_occupied = excluded.is_occupied",
    ),
    liking: database.prepare("SELECT liking FROM shelf_place WHERE place_id = ?"),
    setLiking: database.prepare(
      "INSERT INTO shelf_place (place_id, liking) VALUES (?, ?) ON CONFLICT (place_id) DO UPDATE SET liking = excluded.liking",
    ),
    open: database.prepare(`${handOver} WHERE is_open = 1 ORDER BY position`),
    openAt: database.prepare(`${handOver} WHERE is_open = 1 AND place_id = ?`),
    begin: database.prepare(`
      INSERT INTO hand_over
        (hand_over_id, place_id, reservation_id, credential_id, act, number, parcels, tablet_id, clerk_id, began_at_ms, is_open, checked)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, x'')`),
    end: database.prepare("UPDATE hand_over SET is_open = 0, clerk_id = ?, checked = ? WHERE hand_over_id = ?"),
    checkedAt: database.prepare("SELECT checked FROM hand_over WHERE place_id = ? ORDER BY position DESC LIMIT 1"),
    clerkAt: database.prepare("SELECT clerk_id AS clerkId FROM hand_over WHERE place_id = ? ORDER BY position DESC LIMIT 1"),
    result: database.prepare("SELECT result FROM counter_entry WHERE entry_id = ?"),
    saveResult: database.prepare("INSERT OR REPLACE INTO counter_entry (entry_id, taken_at_ms, result) VALUES (?, ?, ?)"),
    openDeliveries: database.prepare(`${delivery} WHERE is_open = 1 ORDER BY began_at_ms, delivery_id`),
    delivery: database.prepare(`${delivery} WHERE delivery_id = ?`),
    saveDelivery: database.prepare(`
      INSERT OR REPLACE INTO delivery (delivery_id, is_open, began_at_ms, message, courier_id, list, site_statement, courier_code)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)`),
    parcel: database.prepare(
      "SELECT reservation_id AS reservationId, label, came_at_ms AS cameAtMs, is_for_courier AS isForCourier, is_found AS isFound FROM shelf_parcel WHERE reservation_id = ?",
    ),
    saveParcel: database.prepare(
      "INSERT OR REPLACE INTO shelf_parcel (reservation_id, label, came_at_ms, is_for_courier, is_found) VALUES (?, ?, ?, ?, ?)",
    ),
    inHand: database.prepare("SELECT allowance FROM parcel_in_hand WHERE reservation_id = ?"),
    keepInHand: database.prepare("INSERT OR REPLACE INTO parcel_in_hand (reservation_id, at_ms, allowance) VALUES (?, ?, ?)"),
    session: database.prepare(
      "SELECT token_hash AS tokenHash, tablet_id AS tabletId, clerk_id AS clerkId, pin_id AS pinId, ends_at_ms AS endsAtMs FROM counter_session WHERE token_hash = ?",
    ),
    saveSession: database.prepare(
      "INSERT INTO counter_session (token_hash, tablet_id, clerk_id, pin_id, ends_at_ms) VALUES (?, ?, ?, ?, ?)",
    ),
    removeSession: database.prepare("DELETE FROM counter_session WHERE token_hash = ?"),
    lock: database.prepare("SELECT failures, left_ms AS leftMs FROM clerk_lock WHERE subject = ?"),
    saveLock: database.prepare("INSERT OR REPLACE INTO clerk_lock (subject, failures, left_ms) VALUES (?, ?, ?)"),
    removeLock: database.prepare("DELETE FROM clerk_lock WHERE subject = ?"),
    forgetDeliveries: database.prepare("DELETE FROM delivery WHERE is_open = 0 AND began_at_ms < ?"),
    forget: [
      "DELETE FROM counter_entry WHERE taken_at_ms < ?",
      "DELETE FROM counter_session WHERE ends_at_ms < ?",
      "DELETE FROM hand_over WHERE is_open = 0 AND began_at_ms < ?",
      "DELETE FROM parcel_in_hand WHERE at_ms < ? AND reservation_id NOT IN (SELECT reservation_id FROM compartment)",
      "DELETE FROM shelf_parcel WHERE came_at_ms < ? AND reservation_id NOT IN (SELECT reservation_id FROM compartment)",
    ].map((text) => database.prepare(text)),
  };

  const leases = createLeaseRecords(database);

  return {
    ...createShopRecords(database),
    ...leases,
    isOccupied: (placeId) => (sql.occupied.get(placeId) as { isOccupied: number } | undefined)?.isOccupied === 1,
    setOccupied(placeId, isOccupied) {
      sql.setOccupied.run(placeId, Number(isOccupied));
    },
    liking: (placeId) => (sql.liking.get(placeId) as { liking: number } | undefined)?.liking ?? 0,
    setLiking(placeId, liking) {
      sql.setLiking.run(placeId, liking);
    },
    openHandOvers: () => sql.open.all() as unknown as StoredHandOver[],
    openHandOverAt: (placeId) => sql.openAt.get(placeId) as StoredHandOver | undefined,
    beginHandOver({ handOverId, placeId, reservationId, credentialId, act, number, parcels, tabletId, clerkId, beganAtMs }) {
      sql.begin.run(handOverId, placeId, reservationId, credentialId, act, number, parcels, tabletId, clerkId, beganAtMs);
    },
    endHandOver(handOverId, clerkId, checked = {}) {
      sql.end.run(clerkId, toBinary(DeviceEventSchema, create(DeviceEventSchema, checked)), handOverId);
    },
    checkedAt(placeId) {
      const row = sql.checkedAt.get(placeId) as { checked: Uint8Array } | undefined;
      if (row === undefined || row.checked.length === 0) return {};
      const { checksDone, cashCollected } = fromBinary(DeviceEventSchema, row.checked);
      return { checksDone, ...(cashCollected && { cashCollected }) };
    },
    endedAt(placeId) {
      const row = sql.checkedAt.get(placeId) as { checked: Uint8Array } | undefined;
      const { occurredAt, offline } = fromBinary(DeviceEventSchema, row?.checked ?? new Uint8Array());
      return occurredAt === undefined ? {} : { atMs: timestampMs(occurredAt), offline };
    },
    clerkAt: (placeId) => (sql.clerkAt.get(placeId) as { clerkId: string } | undefined)?.clerkId ?? "",
    result(entryId) {
      const row = sql.result.get(entryId) as { result: Uint8Array } | undefined;
      return row && fromBinary(EntryResultSchema, row.result);
    },
    saveResult(result, takenAtMs) {
      sql.saveResult.run(result.entryId, Math.floor(takenAtMs), toBinary(EntryResultSchema, result));
    },
    openDeliveries: () => (sql.openDeliveries.all() as unknown as DeliveryRow[]).map(readDelivery),
    delivery(deliveryId) {
      const row = sql.delivery.get(deliveryId) as DeliveryRow | undefined;
      return row && readDelivery(row);
    },
    saveDelivery({ isOpen, delivery: message, courierId, list, siteStatement, courierCode }) {
      const beganAtMs = message.beganAt === undefined ? 0 : timestampMs(message.beganAt);
      const signed = [list, siteStatement, courierCode] as const;
      sql.saveDelivery.run(message.deliveryId, Number(isOpen), beganAtMs, toBinary(DeliverySchema, message), courierId, ...signed);
    },
    parcel(reservationId) {
      const row = sql.parcel.get(reservationId) as
        | (Omit<ShelfParcel, "isForCourier" | "isFound"> & Record<"isForCourier" | "isFound", number>)
        | undefined;
      return row && { ...row, isForCourier: row.isForCourier === 1, isFound: row.isFound === 1 };
    },
    saveParcel({ reservationId, label, cameAtMs, isForCourier, isFound }) {
      sql.saveParcel.run(reservationId, label, Math.floor(cameAtMs), Number(isForCourier), Number(isFound));
    },
    announcedInHand(reservationId) {
      const row = sql.inHand.get(reservationId) as { allowance: Uint8Array } | undefined;
      return row && fromBinary(AllowanceSchema, row.allowance);
    },
    keepInHand(allowance, atMs) {
      const { reservationId, sizeClassId, labelCodes, purpose, participantName, participantId, requirements, cashDue } = allowance;
      const of = { reservationId, sizeClassId, labelCodes, purpose, participantName, participantId, requirements };
      const kept = create(AllowanceSchema, { ...of, ...(cashDue && { cashDue }) });
      sql.keepInHand.run(reservationId, Math.floor(atMs), toBinary(AllowanceSchema, kept));
    },
    session: (tokenHash) => sql.session.get(tokenHash) as StoredSession | undefined,
    saveSession({ tokenHash, tabletId, clerkId, pinId, endsAtMs }) {
      sql.saveSession.run(tokenHash, tabletId, clerkId, pinId, Math.floor(endsAtMs));
    },
    removeSession(tokenHash) {
      sql.removeSession.run(tokenHash);
    },
    lock: (subject) => sql.lock.get(subject) as ClerkLock | undefined,
    saveLock(subject, { failures, leftMs }) {
      if (failures === 0) sql.removeLock.run(subject);
      else sql.saveLock.run(subject, failures, Math.ceil(leftMs));
    },
    forget(beforeMs) {
      for (const statement of sql.forget) statement.run(Math.floor(beforeMs));
      sql.forgetDeliveries.run(Math.floor(beforeMs - listsKeptMs));
      leases.forgetLeases(beforeMs);
    },
  };
}

type DeliveryRow = Omit<StoredDelivery, "isOpen" | "delivery"> & { isOpen: number; message: Uint8Array };

function readDelivery({ isOpen, message, ...row }: DeliveryRow): StoredDelivery {
  return { ...row, isOpen: isOpen === 1, delivery: fromBinary(DeliverySchema, message) };
}
