/** Limits of calls. */
export interface CallLimits {
  /** The longest request message, also after decompression, in bytes. Default 1 MiB: ten times a hundred sites with all their fields. */
  readMaxBytes: number;
  /** The longest response message, in bytes. Default 4 MiB, the default limit of gRPC clients. */
  writeMaxBytes: number;
  /**
   * The longest deadline of a unary call, in ms. A longer one is shortened to it, not refused, since clients commonly use one generous
   * deadline for all their servers. Default 60,000: twice the longest long poll.
   */
  maxTimeoutMs: number;
  /** The deadline of a unary call that has none, in ms. Default 15,000: generous for a call that does not wait, and no call hangs for ever. */
  defaultTimeoutMs: number;
  /** Unary calls handled at once. Default 512. */
  maxConcurrentCalls: number;
  /** Streams open at once, over all connections. Default 1024. */
  maxConcurrentStreams: number;
}

/** The defaults of {@link CallLimits}, which explains them. */
export const defaultCallLimits: Readonly<CallLimits> = {
  readMaxBytes: 1024 * 1024,
  writeMaxBytes: 4 * 1024 * 1024,
  maxTimeoutMs: 60_000,
  defaultTimeoutMs: 15_000,
  maxConcurrentCalls: 512,
  maxConcurrentStreams: 1024,
};
