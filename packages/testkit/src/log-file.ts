import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** Path of the growing part of a server's append-only file. */
export async function logFile(dataDir: string): Promise<string> {
  const directory = join(dataDir, "appendonlydir");
  const manifest = await readFile(join(directory, "appendonly.aof.manifest"), "utf8");
  const name = [...manifest.matchAll(/^file (\S+) .*type i/gm)].at(-1)?.[1] ?? "";
  return join(directory, name);
}
