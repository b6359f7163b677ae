import { closeSync, openSync } from "node:fs";
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
];

/** The first version whose site ids all have the code of their store. */
const storeCodesVersion = 4;

/** An agent's store cannot be used: another process has it, or the file is not a store of this version. */
export class AgentStoreError extends Error {
  override readonly name = "AgentStoreError";
}

/**
 * Opens or creates the database of a store, for this process alone. A commit is on disk before it returns (WAL with `synchronous=FULL`), so spent credentials stay
 * spent after a power failure. A store of an earlier version is migrated irreversibly, unless its site id has no store code.
 *
 * Throws an AgentStoreError that names the file if another process has it, it is not a store, or this release does not read it.
 */
export function openDatabase(path: string): DatabaseSync {
  // It contains the site's PIN key, so only its owner may read it; SQLite gives its other files the same mode.
  closeSync(openSync(path, "a", 0o600));
  const database = new DatabaseSync(path);
  try {
    // Exclusive locking must be set before WAL mode: SQLite then uses no shared memory, and keeps the lock until the end.
    database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; BEGIN EXCLUSIVE; COMMIT;");
    migrate(database);
    return database;
  } catch (error) {
    database.close();
    throw explain(path, error);
  }
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
  if (error instanceof AgentStoreError) return new AgentStoreError(`${path} ${error.message}`);
  const code = error instanceof Error && "errcode" in error ? error.errcode : undefined;
  // SQLITE_BUSY and SQLITE_NOTADB.
  if (code === 5) return new AgentStoreError(`${path} is in use by another agent; stop that one first`, { cause: error });
  if (code === 26) return new AgentStoreError(`${path} is not an agent's store`, { cause: error });
  return error;
}
