import { closeSync, openSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { parseSiteId } from "@petak/protocol";

/** The migrations, each from one version to the next; the first starts with an empty file. SQLite's `user_version` has the version. */
const migrations = [
  `
  CREATE TABLE fact (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE allowance (position INTEGER PRIMARY KEY, message BLOB NOT NULL) STRICT;
  CREATE TABLE spent (credential_id TEXT PRIMARY KEY, expires_at_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE compartment (
    compartment_id TEXT PRIMARY KEY, condition TEXT NOT NULL, reservation_id TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE visit (
    compartment_id TEXT PRIMARY KEY, credential_id TEXT NOT NULL, proof_kind INTEGER NOT NULL, act INTEGER NOT NULL,
    reservation_id TEXT NOT NULL, phase TEXT NOT NULL, reopenings INTEGER NOT NULL, grace_until_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE outbox (sequence INTEGER PRIMARY KEY, message BLOB NOT NULL) STRICT;
  CREATE TABLE number (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`,
  `
  CREATE TABLE to_collect (
    credential_id TEXT NOT NULL, reservation_id TEXT NOT NULL, PRIMARY KEY (credential_id, reservation_id)
  ) STRICT, WITHOUT ROWID;
  ALTER TABLE visit ADD COLUMN bundle_id TEXT NOT NULL DEFAULT '';
  ALTER TABLE visit ADD COLUMN is_delegated INTEGER NOT NULL DEFAULT 0;
`,
  `
  CREATE TABLE ended (reservation_id TEXT PRIMARY KEY, forget_at_ms INTEGER) STRICT, WITHOUT ROWID;
`,
  // Version 4 has the same tables. The ids of sites in it have the code of their store.
  "",
  // A lock-out is stored by what is left of it, since a time can be set back. One that was stored by its end begins anew, at most 15 minutes.
  `
  INSERT INTO number (name, value)
    SELECT 'lock_out_left_ms', MIN(900000, 30000 << MIN(value - 5, 5)) FROM number WHERE name = 'lock_out_failures' AND value >= 5;
  DELETE FROM number WHERE name IN ('lock_out_until_ms', 'lock_out_last_failure_ms');
`,
  `
  ALTER TABLE visit ADD COLUMN presence TEXT NOT NULL DEFAULT '';
  ALTER TABLE allowance ADD COLUMN reservation_id TEXT NOT NULL DEFAULT '';
  ALTER TABLE allowance ADD COLUMN pin_id TEXT NOT NULL DEFAULT '';
  ALTER TABLE allowance ADD COLUMN is_promise INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX allowance_of_reservation ON allowance (reservation_id);
  CREATE INDEX allowance_of_pin ON allowance (pin_id);
  CREATE INDEX promise ON allowance (is_promise) WHERE is_promise = 1;
  CREATE TABLE revoked_issuer_key (public_key BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;
  CREATE TABLE command (
    command_id TEXT PRIMARY KEY, type INTEGER NOT NULL, compartment_id TEXT NOT NULL, deadline_ms INTEGER NOT NULL,
    begun_at_ms INTEGER NOT NULL, is_finished INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE out_of_service (compartment_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
  CREATE TABLE shelf_place (
    place_id TEXT PRIMARY KEY, is_occupied INTEGER NOT NULL DEFAULT 0, liking INTEGER NOT NULL DEFAULT 0
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE hand_over (
    position INTEGER PRIMARY KEY, hand_over_id TEXT NOT NULL UNIQUE, place_id TEXT NOT NULL, reservation_id TEXT NOT NULL,
    credential_id TEXT NOT NULL, act INTEGER NOT NULL, number INTEGER NOT NULL, parcels INTEGER NOT NULL, tablet_id TEXT NOT NULL,
    clerk_id TEXT NOT NULL, began_at_ms INTEGER NOT NULL, is_open INTEGER NOT NULL, checked BLOB NOT NULL
  ) STRICT;
  CREATE INDEX open_hand_over ON hand_over (place_id) WHERE is_open = 1;
  CREATE TABLE delivery (
    delivery_id TEXT PRIMARY KEY, is_open INTEGER NOT NULL, began_at_ms INTEGER NOT NULL, message BLOB NOT NULL, courier_id TEXT NOT NULL,
    list TEXT NOT NULL, site_statement TEXT NOT NULL, courier_code TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE shift (clerk_id TEXT PRIMARY KEY, message BLOB NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE month_work (month TEXT NOT NULL, what TEXT NOT NULL, parcels INTEGER NOT NULL, PRIMARY KEY (month, what)) STRICT, WITHOUT ROWID;
  CREATE TABLE photo (photo_id TEXT PRIMARY KEY, kept_until_ms INTEGER NOT NULL, jpeg BLOB NOT NULL) STRICT;
  CREATE TABLE counter_entry (entry_id TEXT PRIMARY KEY, taken_at_ms INTEGER NOT NULL, result BLOB NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE counter_session (
    token_hash TEXT PRIMARY KEY, tablet_id TEXT NOT NULL, clerk_id TEXT NOT NULL, pin_id TEXT NOT NULL,
    ends_at_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE counter_lease (
    number INTEGER PRIMARY KEY, tablet_id TEXT NOT NULL, began_at_ms INTEGER NOT NULL, ends_at_ms INTEGER NOT NULL, is_out INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE clerk_lock (subject TEXT PRIMARY KEY, failures INTEGER NOT NULL, left_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE shelf_parcel (
    reservation_id TEXT PRIMARY KEY, label TEXT NOT NULL, came_at_ms INTEGER NOT NULL, is_for_courier INTEGER NOT NULL,
    is_found INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE parcel_in_hand (reservation_id TEXT PRIMARY KEY, at_ms INTEGER NOT NULL, allowance BLOB NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE condition (
    kind INTEGER PRIMARY KEY, count INTEGER NOT NULL, since_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL,
    clock_ahead_ms INTEGER NOT NULL, parcels INTEGER NOT NULL, told_at_ms INTEGER NOT NULL
  ) STRICT;
`,
];

/** The first version whose site ids all have the code of their store. */
const storeCodesVersion = 4;

/** An agent's store cannot be used: another process has it, or the file is not a store of this version. */
export class AgentStoreError extends Error {
  override readonly name: string = "AgentStoreError";
}

/** An agent's store has lost something: what its agent knew, e.g. which credentials are spent, is not certain any more. */
export class DamagedStoreError extends AgentStoreError {
  override readonly name = "DamagedStoreError";
}

export interface StoreOptions {
  /**
   * False: a commit survives the end of the process, but not a power failure of the machine. For simulations, where many agents share a disk. Default true.
   */
  readonly isDurable?: boolean;
}

/**
 * Opens or creates the database of a store, for this process alone. A commit is on disk before it returns (WAL with `synchronous=FULL`), so spent credentials stay
 * spent after a power failure. A store of an earlier version is migrated irreversibly, unless its site id has no store code.
 *
 * Throws an AgentStoreError that names the file if another process has it, it is not a store, or this release does not read it.
 */
export function openDatabase(path: string, { isDurable = true }: StoreOptions = {}): DatabaseSync {
  const hadLog = hasContent(`${path}-wal`);
  // It contains the site's PIN key, so only its owner may read it; SQLite gives its other files the same mode.
  closeSync(openSync(path, "a", 0o600));
  const database = new DatabaseSync(path);
  try {
    // Exclusive locking must be set before WAL mode: SQLite then uses no shared memory, and keeps the lock until the end.
    const synchronous = isDurable ? "FULL" : "OFF";
    database.exec(
      `PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}; BEGIN EXCLUSIVE; COMMIT;`,
    );
    requireSound(database, hadLog ? undefined : statSync(path).size);
    migrate(database);
    markOpen(database, hadLog);
    return database;
  } catch (error) {
    database.close();
    throw explain(path, error);
  }
}

/** What to do about a store that cannot be used any more. */
const wayOut =
  "look into the compartments, move the file and its -wal file away, and enrol the device again: what it had not reported is lost (docs/offline.md)";

function hasContent(path: string): boolean {
  return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

/** Looks for pages that are missing or damaged. @param sizeBytes the file's size, if it is whole without its log */
function requireSound(database: DatabaseSync, sizeBytes: number | undefined): void {
  const { size } = database.prepare("SELECT page_count * page_size AS size FROM pragma_page_count, pragma_page_size").get() as {
    size: number;
  };
  if (sizeBytes !== undefined && sizeBytes !== size)
    throw new DamagedStoreError(`is damaged (it has ${sizeBytes} bytes of ${size}); ${wayOut}`);
  const { quick_check: found } = database.prepare("PRAGMA quick_check(1)").get() as { quick_check: string };
  if (found !== "ok") throw new DamagedStoreError(`is damaged (${found.split("\n").at(-1)}); ${wayOut}`);
}

/**
 * Marks the store as open in the file itself, until {@link closeDatabase}. A store that was open has a write-ahead log beside it; if that is gone, so is what was recorded
 * last, e.g. which credentials are spent.
 */
function markOpen(database: DatabaseSync, hadLog: boolean): void {
  const row = database.prepare("SELECT value FROM number WHERE name = 'is_open'").get() as { value: number } | undefined;
  if (row?.value === 1) {
    if (!hadLog) throw new DamagedStoreError(`has lost its write-ahead log, and with it what was recorded last; ${wayOut}`);
    return;
  }
  database.exec("INSERT OR REPLACE INTO number (name, value) VALUES ('is_open', 1); PRAGMA wal_checkpoint(FULL);");
}

/** Closes a store's database. If the disk takes no changes, the log stays beside the file for the next start. */
export function closeDatabase(database: DatabaseSync): void {
  try {
    database.exec("UPDATE number SET value = 0 WHERE name = 'is_open'");
  } catch {
    // It stays marked as open, with its log.
  }
  database.close();
}

function migrate(database: DatabaseSync): void {
  const { user_version: version } = database.prepare("PRAGMA user_version").get() as { user_version: number };
  if (version > migrations.length) {
    throw new AgentStoreError(
      `has version ${version} and this release reads versions up to ${migrations.length}: start a later release of the agent that reads version ${version}, or give this one a new store`,
    );
  }
  if (version === migrations.length) return;
  if (version > 0 && version < storeCodesVersion) requireStoreCode(database, version);
  database.exec(`BEGIN; ${migrations.slice(version).join("")} PRAGMA user_version = ${migrations.length}; COMMIT;`);
}

/** Refuses the store of a site whose id has no store code: no credential and no gateway of this release names such a site. */
function requireStoreCode(database: DatabaseSync, version: number): void {
  const [bound] = database.prepare("SELECT CAST(value AS TEXT) AS siteId FROM fact WHERE name = 'site_id'").all() as { siteId: string }[];
  if (bound === undefined || parseSiteId(bound.siteId) !== undefined) return;
  throw new AgentStoreError(
    `has version ${version} and belongs to site '${bound.siteId}', and this release reads only site ids with a store code: start an earlier release of the agent that reads such ids, or give this one a new store`,
  );
}

function explain(path: string, error: unknown): unknown {
  if (error instanceof DamagedStoreError) return new DamagedStoreError(`${path} ${error.message}`);
  if (error instanceof AgentStoreError) return new AgentStoreError(`${path} ${error.message}`);
  const code = error instanceof Error && "errcode" in error ? error.errcode : undefined;
  // SQLITE_BUSY, SQLITE_CORRUPT and SQLITE_NOTADB.
  if (code === 5) return new AgentStoreError(`${path} is in use by another agent; stop that one first`, { cause: error });
  if (code === 11) return new DamagedStoreError(`${path} is damaged; ${wayOut}`, { cause: error });
  if (code === 26)
    return new DamagedStoreError(`${path} is not an agent's store, or damaged at its beginning; if it was one, ${wayOut}`, {
      cause: error,
    });
  return error;
}
