import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import { type OfferedId, onlyIds } from "./offered-id.ts";

/** How long ids are offered again without asking, in ms: who types TAB twice asks once, and who has just reserved is not told old news for long. */
const maxAgeMs = 10_000;

interface Entry {
  atMs: number;
  ids: OfferedId[];
}

/** The file of the ids that were offered last, in the user's own folder for such files. */
export function idCachePath(env: Readonly<Record<string, string | undefined>>): string {
  const { XDG_CACHE_HOME: folder = "", HOME: home = homedir() } = env;
  return join(isAbsolute(folder) ? folder : join(home, ".cache"), "petak", "ids.json");
}

/** The ids that were kept for a question in the last seconds. Undefined: there are none. */
export async function readKept(path: string, question: string, nowMs: number): Promise<OfferedId[] | undefined> {
  const entry = (await fresh(path, nowMs))[question];
  return entry && onlyIds(entry.ids);
}

/** Keeps ids for a question, with others that are still fresh. Only this user can read the file. */
export async function keep(path: string, question: string, ids: OfferedId[], nowMs: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const entries = { ...(await fresh(path, nowMs)), [question]: { atMs: nowMs, ids } };
  // Whoever types in two shells at once must not read half a file.
  const part = `${path}.${randomUUID()}`;
  // A new file: a link that somebody has put there is not followed.
  await writeFile(part, JSON.stringify(entries), { mode: 0o600, flag: "wx" });
  await rename(part, path);
}

/** The entries of the file that are not too old. None if it is not there or not as it was written. */
async function fresh(path: string, nowMs: number): Promise<Record<string, Entry>> {
  const text = await readFile(path, "utf8").catch(() => "{}");
  try {
    const entries = Object.entries(JSON.parse(text) as Record<string, Entry>);
    return Object.fromEntries(entries.filter(([, { atMs, ids }]) => nowMs >= atMs && nowMs - atMs < maxAgeMs && Array.isArray(ids)));
  } catch {
    return {};
  }
}
