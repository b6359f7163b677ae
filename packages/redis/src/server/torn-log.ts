import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";

/** Where a server keeps its log, below its data directory: one file to begin with, and what has come since. */
const logDir = "appendonlydir";

const pollMs = 20;

/** The bytes of what has come since, by which it is seen that a server has dropped the end of it. */
export async function feedBytes(dataDir: string): Promise<number> {
  const names = await readdir(join(dataDir, logDir)).catch(() => []);
  const sizes = await Promise.all(
    names.filter((name) => name.endsWith(".incr.aof")).map(async (name) => (await stat(join(dataDir, logDir, name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/**
 * Has a server write its log anew, and resolves when that is done.
 *
 * A server whose log ends in the middle of a command drops that command and what it has read of its transaction. But in the file it leaves the
 * beginning of the transaction, and writes on behind it: at the next start that beginning is done after all, as a part of what comes next. So half a script would
 * come true (Redis 8.0 and Valkey 8.1).
 */
export async function rewriteLog(socketPath: string, signal: AbortSignal | undefined): Promise<void> {
  const redis = new Redis({ path: socketPath, retryStrategy: null });
  redis.on("error", () => undefined);
  try {
    await redis.bgrewriteaof();
    for (;;) {
      signal?.throwIfAborted();
      const info = await redis.info("persistence");
      if (/aof_rewrite_in_progress:0/.test(info) && /aof_rewrite_scheduled:0/.test(info)) {
        if (!/aof_last_bgrewrite_status:ok/.test(info)) throw new Error("the server could not write its log anew");
        return;
      }
      await delay(pollMs);
    }
  } finally {
    redis.disconnect();
  }
}
