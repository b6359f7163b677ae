/** Why a private server could not be started. */
export type RedisServerErrorCode =
  /** No supported server program on the path. */
  | "NOT_FOUND"
  /** Every server program found is older than the scripts require. */
  | "TOO_OLD"
  /** Another process runs a server over this data directory. */
  | "DATA_DIR_IN_USE"
  /** The data directory, or the directory of the socket, belongs to another user. */
  | "DIR_NOT_OURS"
  /** The socket's path exceeds the operating system's limit. */
  | "SOCKET_PATH_TOO_LONG"
  /** The orphaned server of a crashed gateway could not be stopped. */
  | "LEFT_OVER"
  /** The server ended before it answered. */
  | "START_FAILED"
  /** The server did not answer in time. */
  | "START_TIMED_OUT";

/** A private server could not be started. The message is one sentence for a person, followed by the end of the server's own log, if any. */
export class RedisServerError extends Error {
  override readonly name = "RedisServerError";
  readonly code: RedisServerErrorCode;

  constructor(code: RedisServerErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.code = code;
  }
}
