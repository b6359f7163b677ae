import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { readPidFile } from "./pid-file.ts";
import { RedisServerError } from "./redis-server-error.ts";

/** SQLite's result code for a file that another connection has locked. */
const sqliteBusy = 5;

/**
 * Takes a data directory for this process. Two servers appending to one log would ruin it.
 *
 * The lock is the one SQLite takes on a file, the only advisory lock that Node offers: the operating system lets go of it when the process ends,
 * however it ends. So it cannot be stale, and a process that has since been given the number of a dead one is not mistaken for it.
 *
 * @returns lets go of the directory
 * @throws RedisServerError `DATA_DIR_IN_USE`
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
      `The data directory ${dataDir} is in use by ${who}. Stop that one first, or choose another data directory.`,
    );
  }
  return () => {
    if (database.isOpen) database.close();
  };
}
