import { randomUUID } from "node:crypto";
import { rename, rm, writeFile } from "node:fs/promises";
import { CliFailure } from "../failure.ts";
import type { Session } from "../session.ts";

/** Writes or replaces a file that has nothing secret, whole or not at all. Throws a CliFailure. */
export async function writePublicFile(session: Session, file: string, text: string): Promise<void> {
  const path = session.resolve(file);
  const draft = `${path}.${randomUUID()}.tmp`;
  try {
    await writeFile(draft, text, { flush: true });
    await rename(draft, path);
  } catch (cause) {
    await rm(draft, { force: true });
    throw new CliFailure(`${file} could not be written: ${(cause as Error).message}.`, { cause });
  }
}
