import { closeSync, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { parseSiteId } from "@petak/protocol";

/** The steps that make each version of the one before, from an empty file on. SQLite's `user_version` states the version. */
const steps = [
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

/** An agent's store is in use by another process, or is none. */
export class AgentStoreError extends Error {
  override readonly name = "AgentStoreError";
}

/**
 * Opens the database of a store, or makes it, for this process alone. A commit is on the disk before it returns (WAL with
 * `synchronous=FULL`), so what was spent stays spent when the power goes.
 *
 * A store of an earlier version is brought to the present one, at once and for good; not so that of a site whose id has no store code.
 *
 * Throws an AgentStoreError that names the file where another process has it, it is no store, or this release does not read it.
 */
export function openDatabase(path: string): DatabaseSync {
  // It holds the site's pin key, so its owner alone may read it; SQLite gives its other files the same rights.
  closeSync(openSync(path, "a", 0o600));
  const database = new DatabaseSync(path);
  try {
    // The lock must be exclusive before WAL is entered: then no memory is shared, and the lock stays until the end.
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
  if (version > steps.length) {
    throw new AgentStoreError(
      `has version ${version} and this release reads versions up to ${steps.length}: start a later release of the agent that reads version ${version}, or give this one a new store`,
    );
  }
  if (version === steps.length) return;
  if (version > 0 && version < storeCodesVersion) requireStoreCode(database, version);
  database.exec(`BEGIN; ${steps.slice(version).join("")} PRAGMA user_version = ${steps.length}; COMMIT;`);
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
  if (code === 26) return new AgentStoreError(`${path} is no agent's store`, { cause: error });
  return error;
}
