import { readFile, writeFile } from "node:fs/promises";

/** Which demonstration network a data directory holds. */
export interface LoadedMark {
  /** The administrator of the gateway that holds it: other records have another. */
  adminId: string;
  sites: number;
  seed: number;
}

/** Whether the records hold this network already. A mark that cannot be read counts for nothing: loading again changes nothing. */
export async function isLoaded(path: string, mark: LoadedMark): Promise<boolean> {
  try {
    return (await readFile(path, "utf8")) === markText(mark);
  } catch {
    return false;
  }
}

/** Remembers that the records hold this network. */
export async function markLoaded(path: string, mark: LoadedMark): Promise<void> {
  await writeFile(path, markText(mark));
}

function markText({ adminId, sites, seed }: LoadedMark): string {
  return `${JSON.stringify({ adminId, sites, seed })}\n`;
}
