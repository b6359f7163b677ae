import { type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { type Allowance, AllowanceSchema, type Site, SiteSchema, type TrustBundle, TrustBundleSchema } from "@petak/protocol";
import { type LockOut, noLockOut } from "../decision/lock-out.ts";
import type { CompartmentRecord, Visit } from "../decision/snapshot.ts";
import { AgentStoreError, openDatabase } from "./open-database.ts";
import { createOutbox, type Outbox } from "./outbox.ts";
import { createFacts, createNumbers, createTransaction, type Transaction } from "./values.ts";

/**
 * What an agent must not forget, on disk. Every change is on the disk when its call returns, or when the {@link transaction} does that it
 * is part of. One process at a time has it.
 */
export interface AgentStore {
  readonly path: string;
  /** The reports that the gateway has not acknowledged. */
  readonly outbox: Outbox;
  /** Makes several changes at once: all or, where `change` throws, none. */
  readonly transaction: Transaction;

  /** Ties a new store to a site. Throws an AgentStoreError where it is tied to another. */
  bind(siteId: string): void;
  /** What the gateway said at the last boot. Undefined: there was none. */
  site(): Site | undefined;
  pinKey(): Uint8Array | undefined;
  trustBundle(): TrustBundle | undefined;
  saveBoot(boot: { site: Site | undefined; pinKey: Uint8Array; trustBundle: TrustBundle | undefined }): void;
  /** The version of the allowances. 0: none came yet. */
  syncVersion(): bigint;
  allowances(): readonly Allowance[];
  saveSync(sync: { version: bigint; allowances: readonly Allowance[]; trustBundle: TrustBundle | undefined }): void;

  isSpent(credentialId: string): boolean;
  /** Spends a credential for as long as it could be shown again. Throws where it is spent: nothing is spent twice. */
  spend(credentialId: string, expiresAtMs: number): void;
  /** Forgets spent credentials that have expired before a time. The caller is sure that the time has passed. */
  forgetSpent(expiredBeforeMs: number): void;

  compartment(compartmentId: string): CompartmentRecord;
  saveCompartment(record: CompartmentRecord): void;
  visits(): readonly Visit[];
  saveVisit(visit: Visit): void;
  removeVisit(compartmentId: string): void;

  lockOut(): LockOut;
  saveLockOut(lockOut: LockOut): void;
  /** The latest time that is known to have passed, in ms. 0: none. */
  clockFloorMs(): number;
  /** How far the gateway's clock is ahead of the device's, in ms. */
  clockOffsetMs(): number;
  saveClock(clock: { floorMs: number; offsetMs: number }): void;

  /** Gives the file back. */
  close(): void;
}

/** Opens an agent's store, or makes it. Throws an AgentStoreError where another process has it or it is none. */
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
    forgetSpent: database.prepare("DELETE FROM spent WHERE expires_at_ms < ?"),
    compartment: database.prepare("SELECT condition, reservation_id AS reservationId FROM compartment WHERE compartment_id = ?"),
    saveCompartment: database.prepare("INSERT OR REPLACE INTO compartment (compartment_id, condition, reservation_id) VALUES (?, ?, ?)"),
    visits: database.prepare(`
      SELECT compartment_id AS compartmentId, credential_id AS credentialId, proof_kind AS proofKind, act,
        reservation_id AS reservationId, phase, reopenings, grace_until_ms AS graceUntilMs
      FROM visit ORDER BY compartment_id`),
    saveVisit: database.prepare(`
      INSERT OR REPLACE INTO visit
        (compartment_id, credential_id, proof_kind, act, reservation_id, phase, reopenings, grace_until_ms)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)`),
    removeVisit: database.prepare("DELETE FROM visit WHERE compartment_id = ?"),
  };
  const rows = sql.allowances.all() as { message: Uint8Array }[];
  let allowances = rows.map(({ message }) => fromBinary(AllowanceSchema, message));

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
    saveSync(sync) {
      transaction(() => {
        sql.clearAllowances.run();
        for (const allowance of sync.allowances) sql.addAllowance.run(toBinary(AllowanceSchema, allowance));
        facts.writeText("sync_version", String(sync.version));
        if (sync.trustBundle !== undefined) facts.write("trust_bundle", toBinary(TrustBundleSchema, sync.trustBundle));
      });
      allowances = [...sync.allowances];
    },

    isSpent: (credentialId) => sql.isSpent.get(credentialId) !== undefined,
    spend(credentialId, expiresAtMs) {
      sql.spend.run(credentialId, expiresAtMs);
    },
    forgetSpent(expiredBeforeMs) {
      sql.forgetSpent.run(Math.floor(expiredBeforeMs));
    },

    compartment(compartmentId) {
      const row = sql.compartment.get(compartmentId) as Omit<CompartmentRecord, "compartmentId"> | undefined;
      return { compartmentId, condition: row?.condition ?? "OK", reservationId: row?.reservationId ?? "" };
    },
    saveCompartment({ compartmentId, condition, reservationId }) {
      sql.saveCompartment.run(compartmentId, condition, reservationId);
    },
    visits: () => sql.visits.all() as unknown as Visit[],
    saveVisit(visit) {
      const { compartmentId, credentialId, proofKind, act, reservationId, phase, reopenings, graceUntilMs } = visit;
      sql.saveVisit.run(compartmentId, credentialId, proofKind, act, reservationId, phase, reopenings, Math.floor(graceUntilMs));
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

function readMessage<Desc extends DescMessage>(bytes: Uint8Array | undefined, schema: Desc): MessageShape<Desc> | undefined {
  return bytes === undefined ? undefined : fromBinary(schema, bytes);
}
