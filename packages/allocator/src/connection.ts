import { Redis } from "ioredis";

/** Where the records are: a URL `redis://…`, or the Unix socket of a private server. */
export type RedisAddress = { url: string } | { socketPath: string };

/** What a connection needs to know. */
export interface ConnectionOptions {
  /** Called on every connection error; the connection goes on trying. */
  onError: (error: Error) => void;
  /**
   * How long one command may take, in ms. Default 2000: longer than any script, shorter than a caller's patience. 0: no limit.
   */
  commandTimeoutMs?: number;
}

/**
 * Opens a connection. While the server is away commands fail at once instead of piling up in memory, and none is sent a second time by
 * the connection itself: callers retry with their request id.
 */
export function connectRedis(address: RedisAddress, { onError, commandTimeoutMs = 2000 }: ConnectionOptions): Redis {
  const options = {
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    enableAutoPipelining: commandTimeoutMs > 0,
    ...(commandTimeoutMs > 0 ? { commandTimeout: commandTimeoutMs } : {}),
    lazyConnect: true,
  };
  const redis = "url" in address ? new Redis(address.url, options) : new Redis({ ...options, path: address.socketPath });
  redis.on("error", onError);
  return redis;
}

/** Whether an error says that the server could not be reached or refused to work, rather than that a command was wrong. */
export function isStoreFailure(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (storeErrorNames.has(error.name)) return true;
  return storeErrorMessages.some((pattern) => pattern.test(error.message));
}

const storeErrorNames = new Set(["MaxRetriesPerRequestError", "AbortError", "ClusterAllFailedError"]);

const storeErrorMessages = [
  /^Stream isn't writeable/,
  /^Connection is closed/,
  /^Command timed out/,
  /^(LOADING|MISCONF|OOM|READONLY|MASTERDOWN|CLUSTERDOWN|NOREPLICAS|BUSY|NOAUTH|WRONGPASS) /,
  /ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOENT/,
];
