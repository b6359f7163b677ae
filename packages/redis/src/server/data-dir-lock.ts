import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { readPidFile } from "./pid-file.ts";
import { RedisServerError } from "./redis-server-error.ts";

/** SQLite's result code for a file that another connection has locked. */
const sqliteBusy = 5;

/**
 * Locks a data directory for this process. Two servers appending to the same files would corrupt them.
 *
 * Uses SQLite's file lock, the only advisory file lock available in Node. The operating system releases it when the process ends, however
 * it ends, so it is never stale and a reused process id is not mistaken for the holder.
 *
 * @returns Releases the lock. @throws RedisServerError `DATA_DIR_IN_USE`
 */
export async function lockDataDir(dataDir: string): Promise<() => void> {
  const database = new DatabaseSync(join(dataDir, "lock.sqlite"), { timeout: 0 });
  try {
    database.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode !== sqliteBusy) throw error;
    const holder = await readPidFile(dataDir);
    const who = holder === undefined ? "another process" : `process ${holder.ownerPid}`;
    throw new RedisServerError(
      "DATA_DIR_IN_USE",
      `The data directory ${dataDir} is in use by ${who}. Stop it first, or choose another data directory.`,
    );
  }
  return () => {
    if (database.isOpen) database.close();
  };
}
