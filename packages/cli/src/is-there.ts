import { access } from "node:fs/promises";

/** Whether a file or folder exists. Throws if that cannot be determined. */
export async function isThere(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}
