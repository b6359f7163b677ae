/** Why a private server could not be had. */
export type RedisServerErrorCode =
  /** No fitting server program on the path. */
  | "NOT_FOUND"
  /** There is one, and it is older than what the scripts need. */
  | "TOO_OLD"
  /** Another process runs a server over this data directory. */
  | "DATA_DIR_IN_USE"
  /** The data directory, or the directory of the socket, belongs to another user. */
  | "DIR_NOT_OURS"
  /** No Unix socket can have a path this long. */
  | "SOCKET_PATH_TOO_LONG"
  /** A server left over by a gateway that crashed could not be ended. */
  | "LEFT_OVER"
  /** The server ended before it answered. */
  | "START_FAILED"
  /** The server gave no sign of life in time. */
  | "START_TIMED_OUT";

/** A private server could not be started. The message is one sentence for a person, then the end of the server's own log if it has one. */
export class RedisServerError extends Error {
  override readonly name = "RedisServerError";
  readonly code: RedisServerErrorCode;

  constructor(code: RedisServerErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.code = code;
  }
}
