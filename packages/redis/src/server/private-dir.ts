import { chmod, lstat, mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { RedisServerError } from "./redis-server-error.ts";

/**
 * Creates a directory that no other user can enter, and its parents; restricts its mode if it exists.
 *
 * @throws RedisServerError `DIR_NOT_OURS` if it belongs to another user, is not a directory, or is a symbolic link, which somebody else
 * could have planted in a shared directory.
 */
export async function makePrivateDir(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await mkdir(path, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  const stats = await lstat(path);
  if (!stats.isDirectory() || stats.uid !== process.geteuid?.()) {
    throw new RedisServerError("DIR_NOT_OURS", `${path} must be a directory owned by the user that runs this process; choose another one.`);
  }
  if ((stats.mode & 0o077) !== 0) await chmod(path, 0o700);
}
