import { readFile, rename, writeFile } from "node:fs/promises";
import { CliFailure } from "./failure.ts";
import { unreadableFile } from "./file-failure.ts";

/** The cursor in a file, "" if there is no file. */
export async function readCursor(path: string): Promise<string> {
  const text = await readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return "";
    throw unreadableFile(path, cause);
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
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "its folder does not exist. Make it first" : message;
    throw new CliFailure(`The file ${path} cannot be written: ${why}.`, { reason: "file", cause });
  }
}
