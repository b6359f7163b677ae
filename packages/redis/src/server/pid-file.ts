import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** What the file says about the server that was started last over a data directory. */
export interface PidFile {
  /** The server's process. */
  serverPid: number;
  /** The process that started it: a gateway. */
  ownerPid: number;
}

/** Writes the file, in one step: a reader finds the old one or the new one. */
export async function writePidFile(dataDir: string, content: PidFile): Promise<void> {
  const temporary = `${pidFilePath(dataDir)}.tmp`;
  await writeFile(temporary, `${JSON.stringify(content)}\n`, { mode: 0o600 });
  await rename(temporary, pidFilePath(dataDir));
}

/** Reads the file; undefined where there is none, or what is there was not written by us. */
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
