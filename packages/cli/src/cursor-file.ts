import { readFile, rename, writeFile } from "node:fs/promises";
import { CliFailure } from "./failure.ts";

/** The cursor in a file, "" if there is no file. */
export async function readCursor(path: string): Promise<string> {
  const text = await readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return "";
    throw new CliFailure(`${path} cannot be read: ${cause.message}`, { cause });
  });
  return text.trim();
}

/** Replaces the cursor in a file, at once. */
export async function writeCursor(path: string, cursor: string): Promise<void> {
  const part = `${path}.part`;
  try {
    await writeFile(part, `${cursor}\n`, { flush: true });
    await rename(part, path);
  } catch (cause) {
    throw new CliFailure(`${path} cannot be written: ${(cause as Error).message}`, { cause });
  }
}
