import { writeFile } from "node:fs/promises";
import { CliFailure } from "../failure.ts";
import type { Session } from "../session.ts";

/** Writes a new file that only its owner can read. Throws a CliFailure if it exists or cannot be written. */
export async function writeNew({ resolve }: Session, file: string, text: string): Promise<void> {
  try {
    await writeFile(resolve(file), text, { mode: 0o600, flag: "wx", flush: true });
  } catch (error) {
    const isThere = (error as NodeJS.ErrnoException).code === "EEXIST";
    const why = isThere ? "exists, and is not written over: name another file" : `cannot be written: ${(error as Error).message}`;
    throw new CliFailure(`${file} ${why}.`, { reason: "file", cause: error });
  }
}
