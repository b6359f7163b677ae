import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RedisServerError } from "./redis-server-error.ts";

/**
 * Greatest length of a Unix socket's path, in bytes: 103 on macOS and the BSDs, 107 on Linux. The lower limit is used everywhere, for
 * portability.
 */
export const maxSocketPathBytes = 103;

/**
 * Chooses the path of a data directory's socket: in the directory itself, or, if that path would be too long, in a separate directory under
 * the system's temporary one. That directory's name is derived from the data directory, so the path is the same after a restart.
 *
 * @returns The socket's path, and the directory to create for it unless that is the data directory. @throws RedisServerError
 * `SOCKET_PATH_TOO_LONG` if no path is short enough.
 */
export function chooseSocketPath(dataDir: string, temporaryDir: string = tmpdir()): { socketPath: string; socketDir?: string } {
  const inDataDir = join(dataDir, "server.sock");
  if (fits(inDataDir)) return { socketPath: inDataDir };
  const name = `petak-${createHash("sha256").update(dataDir).digest("hex").slice(0, 16)}`;
  for (const parent of [temporaryDir, "/tmp"]) {
    const socketDir = join(parent, name);
    const socketPath = join(socketDir, "server.sock");
    if (fits(socketPath)) return { socketPath, socketDir };
  }
  throw new RedisServerError(
    "SOCKET_PATH_TOO_LONG",
    `The socket path ${inDataDir} is ${Buffer.byteLength(inDataDir)} bytes long; the limit is ${maxSocketPathBytes}. Choose a shorter data directory.`,
  );
}

function fits(socketPath: string): boolean {
  return Buffer.byteLength(socketPath) <= maxSocketPathBytes;
}
