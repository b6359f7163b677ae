import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Content of the pid file: the server that was last started on a data directory. */
export interface PidFile {
  /** Process id of the server. */
  serverPid: number;
  /** Process id of the gateway that started it. */
  ownerPid: number;
}

/** Writes the file atomically: a reader sees the old content or the new. */
export async function writePidFile(dataDir: string, content: PidFile): Promise<void> {
  const temporary = `${pidFilePath(dataDir)}.tmp`;
  await writeFile(temporary, `${JSON.stringify(content)}\n`, { mode: 0o600 });
  await rename(temporary, pidFilePath(dataDir));
}

/** Reads the file; undefined if it is missing or malformed. */
export async function readPidFile(dataDir: string): Promise<PidFile | undefined> {
  try {
    const { serverPid, ownerPid } = JSON.parse(await readFile(pidFilePath(dataDir), "utf8")) as Partial<PidFile>;
    return isPid(serverPid) && isPid(ownerPid) ? { serverPid, ownerPid } : undefined;
  } catch {
    return undefined;
  }
}

/** Removes the file. */
export async function removePidFile(dataDir: string): Promise<void> {
  await rm(pidFilePath(dataDir), { force: true });
}

function pidFilePath(dataDir: string): string {
  return join(dataDir, "server.pid.json");
}

function isPid(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) > 1;
}
