import type { DatabaseSync } from "node:sqlite";

/** A lease that a store's agent has given to a tablet. */
export interface StoredLease {
  readonly number: number;
  readonly tabletId: string;
  /** When it was given, and when it ends or ended, in ms by the site's time. */
  readonly beganAtMs: number;
  readonly endsAtMs: number;
  /** Whether the tablet may have it. */
  readonly isOut: boolean;
}

/** What an agent keeps of the leases of its counter, and tells the tablet that has it. */
export interface LeaseRecords {
  /** The last one. */
  lastLease(): StoredLease | undefined;
  lease(leaseNumber: number): StoredLease | undefined;
  saveLease(lease: StoredLease): void;
  /** Deletes those that began before a time, but not the last. */
  forgetLeases(beforeMs: number): void;
  /** On how many other tablets somebody is signed in. */
  otherTablets(tabletId: string, nowMs: number): number;
  /** The credentials that are spent. */
  spentIds(): string[];
  /** What used credentials of bundles can still collect. */
  leftToCollect(): { readonly credentialId: string; readonly reservationId: string }[];
  /** Gives a hand-over that is under way another id. */
  renameHandOver(handOverId: string, newId: string): void;
}

/** Makes it. */
export function createLeaseRecords(database: DatabaseSync): LeaseRecords {
  const lease =
    "SELECT number, tablet_id AS tabletId, began_at_ms AS beganAtMs, ends_at_ms AS endsAtMs, is_out AS isOut FROM counter_lease";
  const sql = {
    last: database.prepare(`${lease} ORDER BY number DESC LIMIT 1`),
    of: database.prepare(`${lease} WHERE number = ?`),
    save: database.prepare(
      "INSERT OR REPLACE INTO counter_lease (number, tablet_id, began_at_ms, ends_at_ms, is_out) VALUES (?, ?, ?, ?, ?)",
    ),
    forget: database.prepare("DELETE FROM counter_lease WHERE began_at_ms < ? AND number < (SELECT MAX(number) FROM counter_lease)"),
    others: database.prepare("SELECT COUNT(DISTINCT tablet_id) AS count FROM counter_session WHERE tablet_id <> ? AND ends_at_ms > ?"),
    spent: database.prepare("SELECT credential_id AS credentialId FROM spent ORDER BY credential_id"),
    left: database.prepare(
      "SELECT credential_id AS credentialId, reservation_id AS reservationId FROM to_collect ORDER BY credential_id, reservation_id",
    ),
    rename: database.prepare("UPDATE hand_over SET hand_over_id = ? WHERE hand_over_id = ?"),
  };
  const read = (row: unknown) => {
    const stored = row as (Omit<StoredLease, "isOut"> & { isOut: number }) | undefined;
    return stored && { ...stored, isOut: stored.isOut === 1 };
  };
  return {
    lastLease: () => read(sql.last.get()),
    lease: (leaseNumber) => read(sql.of.get(leaseNumber)),
    saveLease({ number, tabletId, beganAtMs, endsAtMs, isOut }) {
      sql.save.run(number, tabletId, Math.floor(beganAtMs), Math.floor(endsAtMs), Number(isOut));
    },
    forgetLeases(beforeMs) {
      sql.forget.run(Math.floor(beforeMs));
    },
    otherTablets: (tabletId, nowMs) => (sql.others.get(tabletId, Math.floor(nowMs)) as { count: number }).count,
    spentIds: () => (sql.spent.all() as { credentialId: string }[]).map(({ credentialId }) => credentialId),
    leftToCollect: () => sql.left.all() as { credentialId: string; reservationId: string }[],
    renameHandOver(handOverId, newId) {
      sql.rename.run(newId, handOverId);
    },
  };
}
