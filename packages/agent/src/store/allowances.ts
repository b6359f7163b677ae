import type { DatabaseSync } from "node:sqlite";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { encodeBase64url } from "@petak/credential";
import { Act, type Allowance, AllowanceSchema } from "@petak/protocol";

/** The allowances of a store, on disk: a decision reads those that its credential names, so that neither its time nor the memory grows with their number. */
export interface StoredAllowances {
  /** All of them, in the gateway's order. */
  all(): Allowance[];
  /** Those that bear on a reservation: its own, and the doors that are promised to others. */
  of(reservationId: string): Allowance[];
  /** Those that bear on the reservations with a PIN, by the base64url of its hash. None: no reservation has it. */
  ofPin(pinId: string): Allowance[];
  /** Replaces all of them. Call it within a transaction. */
  replace(allowances: readonly Allowance[]): void;
  /** Replaces those of the reservations of the new ones, and deletes those of removed reservations. Call it within a transaction. */
  change(allowances: readonly Allowance[], removedReservationIds: readonly string[]): void;
}

interface Row {
  message: Uint8Array;
}

/** Makes the allowances of a store. Those of a store of an earlier version get what they are looked up by. */
export function createAllowances(database: DatabaseSync): StoredAllowances {
  const all = database.prepare("SELECT message FROM allowance ORDER BY position");
  const own = database.prepare("SELECT message FROM allowance WHERE reservation_id = ? ORDER BY position");
  const promised = database.prepare("SELECT message FROM allowance WHERE is_promise = 1 AND reservation_id <> ? ORDER BY position");
  const withPin = database.prepare("SELECT DISTINCT reservation_id AS reservationId FROM allowance WHERE pin_id = ?");
  const clear = database.prepare("DELETE FROM allowance");
  const remove = database.prepare("DELETE FROM allowance WHERE reservation_id = ?");
  const add = database.prepare("INSERT INTO allowance (message, reservation_id, pin_id, is_promise) VALUES (?, ?, ?, ?)");
  const read = (rows: unknown) => (rows as Row[]).map(({ message }) => fromBinary(AllowanceSchema, message));

  function of(reservationId: string): Allowance[] {
    return read([...own.all(reservationId), ...promised.all(reservationId)]);
  }

  function replace(allowances: readonly Allowance[]): void {
    clear.run();
    addAll(allowances);
  }

  function addAll(allowances: readonly Allowance[]): void {
    for (const allowance of allowances) {
      const { reservationId, pinHash, act, compartmentId } = allowance;
      const isPromise = act === Act.DEPOSIT && compartmentId !== "";
      add.run(toBinary(AllowanceSchema, allowance), reservationId, pinHash.length === 0 ? "" : encodeBase64url(pinHash), Number(isPromise));
    }
  }

  const isOld = database.prepare("SELECT 1 FROM allowance WHERE reservation_id = '' LIMIT 1").get() !== undefined;
  if (isOld) {
    database.exec("BEGIN IMMEDIATE");
    replace(read(all.all()));
    database.exec("COMMIT");
  }

  return {
    all: () => read(all.all()),
    of,
    ofPin: (pinId) => (withPin.all(pinId) as { reservationId: string }[]).flatMap(({ reservationId }) => of(reservationId)),
    replace,
    change(allowances, removedReservationIds) {
      const changed = new Set([...removedReservationIds, ...allowances.map(({ reservationId }) => reservationId)]);
      for (const reservationId of changed) remove.run(reservationId);
      addAll(allowances);
    },
  };
}
