import { randomUUID } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";

/** As {@link writePrivateText}, with JSON. */
export async function writePrivateFile(path: string, content: object): Promise<void> {
  await writePrivateText(path, `${JSON.stringify(content, undefined, 2)}\n`);
}

/**
 * Writes or replaces a file that only its owner can read. Atomic, also in a power failure: it is written to a temporary file beside it, synced and renamed.
 */
export async function writePrivateText(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    const file = await open(temporary, "wx", 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
