import type { DatabaseSync } from "node:sqlite";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Money } from "@petak/protocol";
import { type Month, type Shift, ShiftSchema } from "@petak/protocol/counter";

/** What a store did with parcels. */
export type Handled = "accepted" | "handedOver" | "takenIn" | "givenBack";

/** What an agent keeps of its store's day: shifts, the month's work, photos. Call what belongs together within a transaction. */
export interface ShopRecords {
  /** A clerk's shift. Undefined: none has begun. */
  shift(clerkId: string): Shift | undefined;
  beginShift(clerkId: string, beganAtMs: number): void;
  endShift(clerkId: string): void;
  /** Adds what a clerk was paid. Without a shift, one begins. */
  addCash(clerkId: string, cash: Money, nowMs: number): void;

  /** Counts a parcel. @param month `2026-11` */
  count(month: string, what: Handled): void;
  month(month: string): Pick<Month, Handled>;

  /** Keeps a photo, unless it is kept. Returns until when, in ms; undefined: there are too many. */
  savePhoto(photoId: string, jpeg: Uint8Array, keptUntilMs: number): number | undefined;
  photo(photoId: string, nowMs: number): Uint8Array | undefined;
  /** Deletes photos whose time is over. */
  forgetPhotos(nowMs: number): void;
}

/** The most photos that are kept, so that they cannot fill the disk of what decides about codes: 120 MB. */
export const photosMax = 300;

/** Makes it. */
export function createShopRecords(database: DatabaseSync): ShopRecords {
  const sql = {
    shift: database.prepare("SELECT message FROM shift WHERE clerk_id = ?"),
    saveShift: database.prepare("INSERT OR REPLACE INTO shift (clerk_id, message) VALUES (?, ?)"),
    endShift: database.prepare("DELETE FROM shift WHERE clerk_id = ?"),
    count: database.prepare(
      "INSERT INTO month_work (month, what, parcels) VALUES (?, ?, 1) ON CONFLICT (month, what) DO UPDATE SET parcels = parcels + 1",
    ),
    month: database.prepare("SELECT what, parcels FROM month_work WHERE month = ?"),
    photo: database.prepare("SELECT jpeg, kept_until_ms AS keptUntilMs FROM photo WHERE photo_id = ?"),
    photos: database.prepare("SELECT COUNT(*) AS count FROM photo"),
    savePhoto: database.prepare("INSERT INTO photo (photo_id, kept_until_ms, jpeg) VALUES (?, ?, ?)"),
    forgetPhotos: database.prepare("DELETE FROM photo WHERE kept_until_ms <= ?"),
  };

  function shift(clerkId: string): Shift | undefined {
    const row = sql.shift.get(clerkId) as { message: Uint8Array } | undefined;
    return row && fromBinary(ShiftSchema, row.message);
  }

  function saveShift(clerkId: string, saved: Shift): void {
    sql.saveShift.run(clerkId, toBinary(ShiftSchema, saved));
  }

  return {
    shift,
    beginShift: (clerkId, beganAtMs) => saveShift(clerkId, create(ShiftSchema, { beganAt: timestampFromMs(Math.floor(beganAtMs)) })),
    endShift(clerkId) {
      sql.endShift.run(clerkId);
    },
    addCash(clerkId, cash, nowMs) {
      const before = shift(clerkId) ?? create(ShiftSchema, { beganAt: timestampFromMs(Math.floor(nowMs)) });
      const same = before.cash.find(({ currencyCode }) => currencyCode === cash.currencyCode);
      const nanos = (same?.nanos ?? 0) + cash.nanos;
      const units = (same?.units ?? 0n) + cash.units + BigInt(Math.floor(nanos / 1e9));
      const sum = { ...cash, units, nanos: nanos % 1e9 };
      saveShift(clerkId, { ...before, cash: [...before.cash.filter((one) => one !== same), sum] });
    },
    count(month, what) {
      sql.count.run(month, what);
    },
    month(month) {
      const rows = sql.month.all(month) as { what: Handled; parcels: number }[];
      const none: Pick<Month, Handled> = { accepted: 0, handedOver: 0, takenIn: 0, givenBack: 0 };
      return Object.assign(none, Object.fromEntries(rows.map(({ what, parcels }) => [what, parcels])));
    },
    savePhoto(photoId, jpeg, keptUntilMs) {
      const before = sql.photo.get(photoId) as { keptUntilMs: number } | undefined;
      if (before !== undefined) return before.keptUntilMs;
      if ((sql.photos.get() as { count: number }).count >= photosMax) return undefined;
      sql.savePhoto.run(photoId, Math.floor(keptUntilMs), jpeg);
      return keptUntilMs;
    },
    photo(photoId, nowMs) {
      const row = sql.photo.get(photoId) as { jpeg: Uint8Array; keptUntilMs: number } | undefined;
      return row !== undefined && nowMs < row.keptUntilMs ? row.jpeg : undefined;
    },
    forgetPhotos(nowMs) {
      sql.forgetPhotos.run(Math.floor(nowMs));
    },
  };
}
