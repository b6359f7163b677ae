import { create, type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { encodeBase64url } from "@petak/credential";
import {
  type Allowance,
  type BundleAllowance,
  type CourierKey,
  type Site,
  SiteSchema,
  type SyncResponse,
  SyncResponseSchema,
  type TrustBundle,
  TrustBundleSchema,
} from "@petak/protocol";
import type { CompartmentRecord, Visit } from "../decision/snapshot.ts";
import { createAllowances, type StoredAllowances } from "./allowances.ts";
import { type CommandRecords, createCommandRecords } from "./command-records.ts";
import { type ConditionRecords, createConditionRecords } from "./condition-records.ts";
import { type CounterRecords, createCounterRecords } from "./counter-records.ts";
import { AgentStoreError, closeDatabase, openDatabase, type StoreOptions } from "./open-database.ts";
import { createOutbox, type Outbox } from "./outbox.ts";
import { bundlesAfter, type SavedSync } from "./saved-sync.ts";
import { createStoredEpoch, type StoredEpoch } from "./stored-epoch.ts";
import { createStoredIntake, type StoredIntake } from "./stored-intake.ts";
import { createTrustStore, type TrustStore } from "./trust-store.ts";
import { createFacts, createNumbers, createTransaction, type Transaction } from "./values.ts";

/**
 * An agent's persistent state. A change is on disk when its call, or its enclosing {@link transaction}, returns. Used by one process at a time.
 */
export interface AgentStore {
  readonly path: string;
  /** The reports to the gateway. */
  readonly outbox: Outbox;
  readonly epoch: StoredEpoch;
  /** What the agent knows of the operator's root key. */
  readonly trust: TrustStore;
  /** What is kept of commands. */
  readonly commands: CommandRecords;
  /** What is kept of what the site takes in. */
  readonly intake: StoredIntake;
  /** What was wrong with the device. */
  readonly conditions: ConditionRecords;
  /** What is kept of a store's counter. Empty at a terminal. */
  readonly counter: CounterRecords;
  /** Makes several changes atomically. If `change` throws, none is made. */
  readonly transaction: Transaction;

  /** Binds a new store to a site. Throws an AgentStoreError if it is bound to another. */
  bind(siteId: string): void;
  /** The site as of the last boot. Undefined: no boot yet. */
  site(): Site | undefined;
  pinKey(): Uint8Array | undefined;
  trustBundle(): TrustBundle | undefined;
  saveTrustBundle(trustBundle: TrustBundle): void;
  saveBoot(boot: { site: Site | undefined; pinKey: Uint8Array; trustBundle: TrustBundle | undefined }): void;
  /** Whether the gateway takes no reports of the device, since they have forked. */
  isQuarantined(): boolean;
  saveQuarantine(isQuarantined: boolean): void;
  /** The version of the allowances. 0: no sync yet. */
  syncVersion(): bigint;
  /** The tag of the version. 0: none. */
  syncVersionTag(): number;
  /** When everything came last, and not only a difference, in ms since 1970. 0: never. */
  completeSyncAtMs(): number;
  readonly allowances: Omit<StoredAllowances, "replace" | "change">;
  /** The bundles of the reservations in the allowances. */
  bundles(): readonly BundleAllowance[];
  /** Hashes of revoked tokens for SERVICE. */
  revokedServiceHashes(): readonly string[];
  /** Applies a response of Sync. */
  saveSync(sync: SavedSync): void;
  /** Adds allowances that the gateway gave between two calls of Sync, in place of those of the same reservations. */
  saveAllowances(given: readonly Allowance[]): void;

  /** The keys of couriers, by which the agent judges hand-over lists. */
  courierKeys(): readonly CourierKey[];
  /** Whether the gateway takes reports of hand-over lists. */
  takesHandoverLists(): boolean;
  /** Applies what a response of Sync says of them. A difference replaces only the keys of the couriers that it names. */
  saveCouriers(couriers: Pick<SyncResponse, "courierKeys" | "takesHandoverLists" | "unchanged" | "isDifference">): void;

  isSpent(credentialId: string): boolean;
  /** Spends a credential until it has expired. Throws if it is already spent. */
  spend(credentialId: string, expiresAtMs: number): void;
  /**
   * Makes a spent credential good again for a reservation whose parcel has certainly not moved: a reservation's own opens once more, a bundle's opens once more for this one.
   */
  unspend(credentialId: string, right: Pick<Visit, "reservationId" | "bundleId">): void;
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

  /** The wrong PINs that count, and how long PINs are locked if the agent starts now, in ms. */
  lockOut(): StoredLockOut;
  saveLockOut(lockOut: StoredLockOut): void;
  /** The latest time that is known to have passed, in ms since 1970. 0: none. */
  clockFloorMs(): number;
  /** Lead of the gateway's clock over the device's, in ms. */
  clockOffsetMs(): number;
  saveClock(clock: { floorMs: number; offsetMs: number }): void;

  /** Writes more than a decision at the door needs, and removes it. Throws if the disk does not take it. */
  probe(): void;
  /** Closes the file. */
  close(): void;
}

/** A lock-out without times: those of a clock that somebody could set would say little. */
export interface StoredLockOut {
  readonly failures: number;
  readonly leftMs: number;
}

/** More than the changes of an opening take in the log, in bytes. */
const probeBytes = 65_536;

type VisitRow = Omit<Visit, "isDelegated" | "presence"> & { isDelegated: number; presence: string };

/** Opens or creates an agent's store. Throws an AgentStoreError if another process has it or the file is not a store. */
export function openAgentStore(path: string, options: StoreOptions = {}): AgentStore {
  const database = openDatabase(path, options);
  const facts = createFacts(database);
  const numbers = createNumbers(database);
  const transaction = createTransaction(database);
  const outbox = createOutbox(database, { facts, numbers, transaction });
  const sql = {
    isSpent: database.prepare("SELECT 1 FROM spent WHERE credential_id = ?"),
    spend: database.prepare("INSERT INTO spent (credential_id, expires_at_ms) VALUES (?, ?)"),
    unspend: database.prepare("DELETE FROM spent WHERE credential_id = ?"),
    forgetSpent: database.prepare(`
      DELETE FROM spent WHERE expires_at_ms < ?
        AND credential_id NOT IN (SELECT pin_id FROM allowance) AND credential_id NOT IN (SELECT value FROM json_each(?))`),
    toCollect: database.prepare("SELECT reservation_id AS reservationId FROM to_collect WHERE credential_id = ?"),
    addToCollect: database.prepare("INSERT OR IGNORE INTO to_collect (credential_id, reservation_id) VALUES (?, ?)"),
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
        reservation_id AS reservationId, bundle_id AS bundleId, is_delegated AS isDelegated, presence, phase, reopenings,
        grace_until_ms AS graceUntilMs
      FROM visit ORDER BY compartment_id`),
    saveVisit: database.prepare(`
      INSERT OR REPLACE INTO visit
        (compartment_id, credential_id, proof_kind, act, reservation_id, bundle_id, is_delegated, presence, phase, reopenings, grace_until_ms)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`),
    removeVisit: database.prepare("DELETE FROM visit WHERE compartment_id = ?"),
  };
  const allowances = createAllowances(database);
  const listed = readMessage(facts.read("bundles"), SyncResponseSchema);
  let bundles = listed?.bundles ?? [];
  let revokedServiceHashes = listed?.revokedServiceHashes ?? [];

  const courierKeys = () => readMessage(facts.read("courier_keys"), SyncResponseSchema)?.courierKeys ?? [];

  return {
    path,
    outbox,
    epoch: createStoredEpoch({ facts, numbers, transaction }),
    trust: createTrustStore(database, { facts, numbers, transaction }),
    commands: createCommandRecords(database, facts),
    intake: createStoredIntake({ facts, numbers }),
    conditions: createConditionRecords(database, numbers),
    counter: createCounterRecords(database),
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
    saveTrustBundle(trustBundle) {
      facts.write("trust_bundle", toBinary(TrustBundleSchema, trustBundle));
    },
    saveBoot({ site, pinKey, trustBundle }) {
      transaction(() => {
        if (site !== undefined) facts.write("site", toBinary(SiteSchema, site));
        if (pinKey.length > 0) facts.write("pin_key", pinKey);
        if (trustBundle !== undefined) facts.write("trust_bundle", toBinary(TrustBundleSchema, trustBundle));
      });
    },
    isQuarantined: () => numbers.read("quarantined") === 1,
    saveQuarantine(isQuarantined) {
      if (isQuarantined !== (numbers.read("quarantined") === 1)) numbers.write("quarantined", isQuarantined ? 1 : 0);
    },
    syncVersion: () => BigInt(facts.readText("sync_version") ?? 0),
    syncVersionTag: () => numbers.read("sync_version_tag") ?? 0,
    completeSyncAtMs: () => numbers.read("complete_sync_at_ms") ?? 0,
    allowances,
    bundles: () => bundles,
    revokedServiceHashes: () => revokedServiceHashes,
    saveSync(sync) {
      const listed = { bundles: bundlesAfter(bundles, sync), revokedServiceHashes: [...sync.revokedServiceHashes] };
      transaction(() => {
        if (sync.isDifference === true) allowances.change(sync.allowances, sync.removedReservationIds ?? []);
        else {
          allowances.replace(sync.allowances);
          numbers.write("complete_sync_at_ms", sync.nowMs ?? 0);
        }
        facts.write("bundles", toBinary(SyncResponseSchema, create(SyncResponseSchema, listed)));
        facts.writeText("sync_version", String(sync.version));
        numbers.write("sync_version_tag", sync.versionTag ?? 0);
        if (sync.pinKey !== undefined && sync.pinKey.length > 0) facts.write("pin_key", sync.pinKey);
        if (sync.trustBundle !== undefined) facts.write("trust_bundle", toBinary(TrustBundleSchema, sync.trustBundle));
      });
      ({ bundles, revokedServiceHashes } = listed);
    },
    saveAllowances: (given) => transaction(() => allowances.change(given, [])),

    courierKeys,
    takesHandoverLists: () => numbers.read("takes_handover_lists") === 1,
    saveCouriers({ courierKeys: told, takesHandoverLists, unchanged, isDifference }) {
      const toldOf = new Set(told.map(({ courierId }) => courierId));
      const kept = isDifference ? courierKeys().filter(({ courierId }) => !toldOf.has(courierId)) : [];
      if (!unchanged)
        facts.write("courier_keys", toBinary(SyncResponseSchema, create(SyncResponseSchema, { courierKeys: [...kept, ...told] })));
      if (takesHandoverLists !== (numbers.read("takes_handover_lists") === 1))
        numbers.write("takes_handover_lists", takesHandoverLists ? 1 : 0);
    },

    isSpent: (credentialId) => sql.isSpent.get(credentialId) !== undefined,
    spend(credentialId, expiresAtMs) {
      sql.spend.run(credentialId, expiresAtMs);
    },
    unspend(credentialId, { reservationId, bundleId }) {
      if (bundleId === "") sql.unspend.run(credentialId);
      else sql.addToCollect.run(credentialId, reservationId);
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
        sql.forgetSpent.run(Math.floor(expiredBeforeMs), JSON.stringify(namedPinIds(bundles)));
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
      (sql.visits.all() as unknown as VisitRow[]).map(({ isDelegated, presence, ...visit }) => ({
        ...visit,
        isDelegated: isDelegated !== 0,
        ...(presence !== "" && { presence }),
      })),
    saveVisit(visit) {
      const { compartmentId, credentialId, proofKind, act, reservationId, bundleId, isDelegated, presence = "" } = visit;
      const { phase, reopenings, graceUntilMs } = visit;
      const credential = [credentialId, proofKind, act, reservationId, bundleId, Number(isDelegated), presence] as const;
      sql.saveVisit.run(compartmentId, ...credential, phase, reopenings, Math.floor(graceUntilMs));
    },
    removeVisit(compartmentId) {
      sql.removeVisit.run(compartmentId);
    },

    lockOut: () => ({
      failures: numbers.read("lock_out_failures") ?? 0,
      leftMs: numbers.read("lock_out_left_ms") ?? 0,
    }),
    saveLockOut({ failures, leftMs }) {
      transaction(() => {
        numbers.write("lock_out_failures", failures);
        numbers.write("lock_out_left_ms", leftMs);
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

    probe() {
      facts.write("probe", new Uint8Array(probeBytes));
      facts.write("probe", new Uint8Array());
    },
    close() {
      if (database.isOpen) closeDatabase(database);
    },
  };
}

/** The ids of the PINs of bundles. */
function namedPinIds(list: readonly BundleAllowance[]): string[] {
  return list.flatMap(({ pinHash }) => (pinHash.length === 0 ? [] : encodeBase64url(pinHash)));
}

function readMessage<Desc extends DescMessage>(bytes: Uint8Array | undefined, schema: Desc): MessageShape<Desc> | undefined {
  return bytes === undefined ? undefined : fromBinary(schema, bytes);
}
