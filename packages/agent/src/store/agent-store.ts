import { create, type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { encodeBase64url } from "@petak/credential";
import {
  type Allowance,
  AllowanceSchema,
  type BundleAllowance,
  type Site,
  SiteSchema,
  SyncResponseSchema,
  type TrustBundle,
  TrustBundleSchema,
} from "@petak/protocol";
import { type LockOut, noLockOut } from "../decision/lock-out.ts";
import type { CompartmentRecord, Visit } from "../decision/snapshot.ts";
import { AgentStoreError, openDatabase } from "./open-database.ts";
import { createOutbox, type Outbox } from "./outbox.ts";
import { createFacts, createNumbers, createTransaction, type Transaction } from "./values.ts";

/**
 * An agent's persistent state. A change is on disk when its call, or its enclosing {@link transaction}, returns. Used by one process at a time.
 */
export interface AgentStore {
  readonly path: string;
  /** The reports to the gateway. */
  readonly outbox: Outbox;
  /** Makes several changes atomically. If `change` throws, none is made. */
  readonly transaction: Transaction;

  /** Binds a new store to a site. Throws an AgentStoreError if it is bound to another. */
  bind(siteId: string): void;
  /** The site as of the last boot. Undefined: no boot yet. */
  site(): Site | undefined;
  pinKey(): Uint8Array | undefined;
  trustBundle(): TrustBundle | undefined;
  saveBoot(boot: { site: Site | undefined; pinKey: Uint8Array; trustBundle: TrustBundle | undefined }): void;
  /** The version of the allowances. 0: no sync yet. */
  syncVersion(): bigint;
  allowances(): readonly Allowance[];
  /** The bundles of the reservations in the allowances. */
  bundles(): readonly BundleAllowance[];
  /** Hashes of revoked tokens for SERVICE. */
  revokedServiceHashes(): readonly string[];
  saveSync(sync: {
    version: bigint;
    allowances: readonly Allowance[];
    bundles: readonly BundleAllowance[];
    revokedServiceHashes: readonly string[];
    trustBundle: TrustBundle | undefined;
  }): void;

  isSpent(credentialId: string): boolean;
  /** Spends a credential until it has expired. Throws if it is already spent. */
  spend(credentialId: string, expiresAtMs: number): void;
  /** Records the reservations for which a bundle's spent credential still opens. */
  saveToCollect(credentialId: string, reservationIds: readonly string[]): void;
  /** The reservations for which a bundle's credential still opens. */
  toCollect(credentialId: string): readonly string[];
  /** Spends a bundle's credential for one of its reservations. */
  removeToCollect(credentialId: string, reservationId: string): void;
  /**
   * Deletes spent credentials that expired before a time, except PINs in the gateway's list, whose expiry may be extended. The caller must be certain that the
   * time has passed.
   */
  forgetSpent(expiredBeforeMs: number): void;

  /** Records the end of a reservation at this site: its parcel has left, or its compartment was found empty after a doubt. */
  saveEnded(reservationId: string): void;
  hasEnded(reservationId: string): boolean;
  /**
   * Deletes ended reservations whose time of deletion has passed. Those without one get `forgetAtMs` once the gateway has all reports, since it then issues no more
   * credentials for them; by that time all their credentials must have expired. The caller must be certain of the times.
   */
  forgetEnded(times: { nowMs: number; forgetAtMs: number }): void;

  compartment(compartmentId: string): CompartmentRecord;
  saveCompartment(record: CompartmentRecord): void;
  visits(): readonly Visit[];
  saveVisit(visit: Visit): void;
  removeVisit(compartmentId: string): void;

  lockOut(): LockOut;
  saveLockOut(lockOut: LockOut): void;
  /** The latest time that is known to have passed, in ms since 1970. 0: none. */
  clockFloorMs(): number;
  /** Lead of the gateway's clock over the device's, in ms. */
  clockOffsetMs(): number;
  saveClock(clock: { floorMs: number; offsetMs: number }): void;

  /** Closes the file. */
  close(): void;
}

type VisitRow = Omit<Visit, "isDelegated"> & { isDelegated: number };

/** Opens or creates an agent's store. Throws an AgentStoreError if another process has it or the file is not a store. */
export function openAgentStore(path: string): AgentStore {
  const database = openDatabase(path);
  const facts = createFacts(database);
  const numbers = createNumbers(database);
  const transaction = createTransaction(database);
  const outbox = createOutbox(database, { facts, numbers, transaction });
  const sql = {
    allowances: database.prepare("SELECT message FROM allowance ORDER BY position"),
    clearAllowances: database.prepare("DELETE FROM allowance"),
    addAllowance: database.prepare("INSERT INTO allowance (message) VALUES (?)"),
    isSpent: database.prepare("SELECT 1 FROM spent WHERE credential_id = ?"),
    spend: database.prepare("INSERT INTO spent (credential_id, expires_at_ms) VALUES (?, ?)"),
    forgetSpent: database.prepare("DELETE FROM spent WHERE expires_at_ms < ? AND credential_id NOT IN (SELECT value FROM json_each(?))"),
    toCollect: database.prepare("SELECT reservation_id AS reservationId FROM to_collect WHERE credential_id = ?"),
    addToCollect: database.prepare("INSERT INTO to_collect (credential_id, reservation_id) VALUES (?, ?)"),
    removeToCollect: database.prepare("DELETE FROM to_collect WHERE credential_id = ? AND reservation_id = ?"),
    forgetToCollect: database.prepare("DELETE FROM to_collect WHERE credential_id NOT IN (SELECT credential_id FROM spent)"),
    saveEnded: database.prepare("INSERT OR IGNORE INTO ended (reservation_id, forget_at_ms) VALUES (?, NULL)"),
    hasEnded: database.prepare("SELECT 1 FROM ended WHERE reservation_id = ?"),
    setForgetEnded: database.prepare("UPDATE ended SET forget_at_ms = ? WHERE forget_at_ms IS NULL"),
    forgetEnded: database.prepare("DELETE FROM ended WHERE forget_at_ms < ?"),
    compartment: database.prepare("SELECT condition, reservation_id AS reservationId FROM compartment WHERE compartment_id = ?"),
    saveCompartment: database.prepare("INSERT OR REPLACE INTO compartment (compartment_id, condition, reservation_id) VALUES (?, ?, ?)"),
    visits: database.prepare(`
      SELECT compartment_id AS compartmentId, credential_id AS credentialId, proof_kind AS proofKind, act,
        reservation_id AS reservationId, bundle_id AS bundleId, is_delegated AS isDelegated, phase, reopenings,
        grace_until_ms AS graceUntilMs
      FROM visit ORDER BY compartment_id`),
    saveVisit: database.prepare(`
      INSERT OR REPLACE INTO visit
        (compartment_id, credential_id, proof_kind, act, reservation_id, bundle_id, is_delegated, phase, reopenings, grace_until_ms)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`),
    removeVisit: database.prepare("DELETE FROM visit WHERE compartment_id = ?"),
  };
  const rows = sql.allowances.all() as { message: Uint8Array }[];
  let allowances = rows.map(({ message }) => fromBinary(AllowanceSchema, message));
  const listed = readMessage(facts.read("bundles"), SyncResponseSchema);
  let bundles = listed?.bundles ?? [];
  let revokedServiceHashes = listed?.revokedServiceHashes ?? [];

  return {
    path,
    outbox,
    transaction,

    bind(siteId) {
      const bound = facts.readText("site_id");
      if (bound === undefined) facts.writeText("site_id", siteId);
      else if (bound !== siteId) {
        throw new AgentStoreError(`${path} belongs to site '${bound}', not to '${siteId}'; give each site its own store`);
      }
    },
    site: () => readMessage(facts.read("site"), SiteSchema),
    pinKey: () => facts.read("pin_key"),
    trustBundle: () => readMessage(facts.read("trust_bundle"), TrustBundleSchema),
    saveBoot({ site, pinKey, trustBundle }) {
      transaction(() => {
        if (site !== undefined) facts.write("site", toBinary(SiteSchema, site));
        if (pinKey.length > 0) facts.write("pin_key", pinKey);
        if (trustBundle !== undefined) facts.write("trust_bundle", toBinary(TrustBundleSchema, trustBundle));
      });
    },
    syncVersion: () => BigInt(facts.readText("sync_version") ?? 0),
    allowances: () => allowances,
    bundles: () => bundles,
    revokedServiceHashes: () => revokedServiceHashes,
    saveSync(sync) {
      transaction(() => {
        sql.clearAllowances.run();
        for (const allowance of sync.allowances) sql.addAllowance.run(toBinary(AllowanceSchema, allowance));
        const listed = { bundles: [...sync.bundles], revokedServiceHashes: [...sync.revokedServiceHashes] };
        facts.write("bundles", toBinary(SyncResponseSchema, create(SyncResponseSchema, listed)));
        facts.writeText("sync_version", String(sync.version));
        if (sync.trustBundle !== undefined) facts.write("trust_bundle", toBinary(TrustBundleSchema, sync.trustBundle));
      });
      allowances = [...sync.allowances];
      bundles = [...sync.bundles];
      revokedServiceHashes = [...sync.revokedServiceHashes];
    },

    isSpent: (credentialId) => sql.isSpent.get(credentialId) !== undefined,
    spend(credentialId, expiresAtMs) {
      sql.spend.run(credentialId, expiresAtMs);
    },
    saveToCollect(credentialId, reservationIds) {
      for (const reservationId of reservationIds) sql.addToCollect.run(credentialId, reservationId);
    },
    toCollect: (credentialId) => (sql.toCollect.all(credentialId) as { reservationId: string }[]).map(({ reservationId }) => reservationId),
    removeToCollect(credentialId, reservationId) {
      sql.removeToCollect.run(credentialId, reservationId);
    },
    forgetSpent(expiredBeforeMs) {
      transaction(() => {
        sql.forgetSpent.run(Math.floor(expiredBeforeMs), JSON.stringify(namedPinIds([...allowances, ...bundles])));
        sql.forgetToCollect.run();
      });
    },

    saveEnded(reservationId) {
      sql.saveEnded.run(reservationId);
    },
    hasEnded: (reservationId) => sql.hasEnded.get(reservationId) !== undefined,
    forgetEnded({ nowMs, forgetAtMs }) {
      transaction(() => {
        if (outbox.acknowledgedSequence() >= outbox.lastSequence()) sql.setForgetEnded.run(Math.floor(forgetAtMs));
        sql.forgetEnded.run(Math.floor(nowMs));
      });
    },

    compartment(compartmentId) {
      const row = sql.compartment.get(compartmentId) as Omit<CompartmentRecord, "compartmentId"> | undefined;
      return { compartmentId, condition: row?.condition ?? "OK", reservationId: row?.reservationId ?? "" };
    },
    saveCompartment({ compartmentId, condition, reservationId }) {
      sql.saveCompartment.run(compartmentId, condition, reservationId);
    },
    visits: () =>
      (sql.visits.all() as unknown as VisitRow[]).map(({ isDelegated, ...visit }) => ({ ...visit, isDelegated: isDelegated !== 0 })),
    saveVisit(visit) {
      const { compartmentId, credentialId, proofKind, act, reservationId, bundleId, isDelegated, phase, reopenings, graceUntilMs } = visit;
      const credential = [credentialId, proofKind, act, reservationId, bundleId, Number(isDelegated)] as const;
      sql.saveVisit.run(compartmentId, ...credential, phase, reopenings, Math.floor(graceUntilMs));
    },
    removeVisit(compartmentId) {
      sql.removeVisit.run(compartmentId);
    },

    lockOut: () => ({
      failures: numbers.read("lock_out_failures") ?? noLockOut.failures,
      lastFailureMs: numbers.read("lock_out_last_failure_ms") ?? noLockOut.lastFailureMs,
      lockedUntilMs: numbers.read("lock_out_until_ms") ?? noLockOut.lockedUntilMs,
    }),
    saveLockOut({ failures, lastFailureMs, lockedUntilMs }) {
      transaction(() => {
        numbers.write("lock_out_failures", failures);
        numbers.write("lock_out_last_failure_ms", lastFailureMs);
        numbers.write("lock_out_until_ms", lockedUntilMs);
      });
    },
    clockFloorMs: () => numbers.read("clock_floor_ms") ?? 0,
    clockOffsetMs: () => numbers.read("clock_offset_ms") ?? 0,
    saveClock({ floorMs, offsetMs }) {
      transaction(() => {
        numbers.write("clock_floor_ms", floorMs);
        numbers.write("clock_offset_ms", offsetMs);
      });
    },

    close() {
      if (database.isOpen) database.close();
    },
  };
}

/** The ids of the PINs in a list of allowances. */
function namedPinIds(list: readonly (Allowance | BundleAllowance)[]): string[] {
  return list.flatMap(({ pinHash }) => (pinHash.length === 0 ? [] : encodeBase64url(pinHash)));
}

function readMessage<Desc extends DescMessage>(bytes: Uint8Array | undefined, schema: Desc): MessageShape<Desc> | undefined {
  return bytes === undefined ? undefined : fromBinary(schema, bytes);
}
