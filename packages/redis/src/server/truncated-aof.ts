import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";

/** Directory of the append-only files, relative to the data directory: a base file and incremental files. */
const aofDir = "appendonlydir";

const pollMs = 20;

/** Total size of the incremental files, in bytes. It shrinks when a server truncates them while loading. */
export async function incrementalAofBytes(dataDir: string): Promise<number> {
  const names = await readdir(join(dataDir, aofDir)).catch(() => []);
  const sizes = await Promise.all(
    names.filter((name) => name.endsWith(".incr.aof")).map(async (name) => (await stat(join(dataDir, aofDir, name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/**
 * Makes a server rewrite its append-only files; resolves when it has finished.
 *
 * A server whose file ends within a transaction discards that transaction in memory, but truncates only the incomplete command, leaves the
 * transaction's beginning in the file, and appends after it. At the next start that beginning would be executed as part of the next
 * transaction, so half a script would take effect (Redis 8.0 and Valkey 8.1). Rewriting removes it.
 */
export async function rewriteAof(socketPath: string, signal: AbortSignal | undefined): Promise<void> {
  const redis = new Redis({ path: socketPath, retryStrategy: null });
  redis.on("error", () => undefined);
  try {
    await redis.bgrewriteaof();
    for (;;) {
      signal?.throwIfAborted();
      const info = await redis.info("persistence");
      if (/aof_rewrite_in_progress:0/.test(info) && /aof_rewrite_scheduled:0/.test(info)) {
        if (!/aof_last_bgrewrite_status:ok/.test(info)) throw new Error("the server could not rewrite its append-only file");
        return;
      }
      await delay(pollMs);
    }
  } finally {
    redis.disconnect();
  }
}
