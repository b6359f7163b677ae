/** Bounds of one call. */
export interface CallLimits {
  /** The greatest message that is read, after decompression too, in bytes. Default 1 MiB: a hundred sites with everything said are a tenth of it. */
  readMaxBytes: number;
  /** The greatest message that is sent, in bytes. Default 4 MiB, which is what gRPC clients read unless told otherwise. */
  writeMaxBytes: number;
  /**
   * The longest a unary call may take, in ms. A caller's longer deadline is shortened to it rather than refused, since clients commonly
   * have one generous deadline for all their servers. Default 60,000: twice the longest long poll.
   */
  maxTimeoutMs: number;
  /** The deadline of a unary call that brings none, in ms. Default 15,000: long for a call that waits for nothing, so that none hangs for ever. */
  defaultTimeoutMs: number;
  /** Unary calls handled at once. Default 512. */
  maxConcurrentCalls: number;
  /** Streams open at once, over all connections. Default 1024. */
  maxConcurrentStreams: number;
}

/** The defaults of {@link CallLimits}, with their reasons there. */
export const defaultCallLimits: Readonly<CallLimits> = {
  readMaxBytes: 1024 * 1024,
  writeMaxBytes: 4 * 1024 * 1024,
  maxTimeoutMs: 60_000,
  defaultTimeoutMs: 15_000,
  maxConcurrentCalls: 512,
  maxConcurrentStreams: 1024,
};
