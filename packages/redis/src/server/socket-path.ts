import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RedisServerError } from "./redis-server-error.ts";

/** The longest path of a Unix socket, in bytes: 103 on macOS and the BSDs; Linux would take 107. One limit for all, so that what runs here runs there. */
export const maxSocketPathBytes = 103;

/**
 * Where the socket of a data directory goes: into the directory itself, or, where that path would be too long for a socket, into a directory
 * of its own under the system's temporary one. It is named after the data directory, so that a restart has the same path.
 *
 * @returns the socket's path, and the directory to make for it where it does not lie in the data directory
 * @throws RedisServerError `SOCKET_PATH_TOO_LONG` where even that does not fit
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
    `The socket path ${inDataDir} is ${Buffer.byteLength(inDataDir)} bytes long and may have ${maxSocketPathBytes}; choose a shorter data directory.`,
  );
}

function fits(socketPath: string): boolean {
  return Buffer.byteLength(socketPath) <= maxSocketPathBytes;
}
