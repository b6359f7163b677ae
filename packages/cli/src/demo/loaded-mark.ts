import { readFile, writeFile } from "node:fs/promises";

/** Identifies the demonstration network that has been loaded. */
export interface LoadedMark {
  /** The administrator of the gateway; another store has another one. */
  adminId: string;
  sites: number;
  seed: number;
}

/** Whether this network has been loaded. False if the mark cannot be read; loading again is idempotent. */
export async function isLoaded(path: string, mark: LoadedMark): Promise<boolean> {
  try {
    return (await readFile(path, "utf8")) === markText(mark);
  } catch {
    return false;
  }
}

/** Records that this network has been loaded. */
export async function markLoaded(path: string, mark: LoadedMark): Promise<void> {
  await writeFile(path, markText(mark));
}

function markText({ adminId, sites, seed }: LoadedMark): string {
  return `${JSON.stringify({ adminId, sites, seed })}\n`;
}
