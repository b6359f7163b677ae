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
  /**
   * Unary calls that a caller may have in progress whatever others do, as long as any are free at all. Default 2: up to 170 callers find more
   * than that free, so it matters only to a crowd.
   */
  callerCallsGuaranteed: number;
  /** Unary calls that one caller may have in progress, over all gateways of a store. Default 256, half of what a gateway handles. */
  callerCallsMax: number;
  /**
   * Unary calls of one caller that are handled at once; its others wait for them, in order. Default 32, as many as the store combines into one
   * step: more would not end sooner, and would only delay the calls of others.
   */
  callerCallsRunning: number;
  /**
   * Refusals that one caller is told each second; further ones are told later. Default 50: whoever heeds RetryInfo sees no delay, and 600
   * connections that do not heed it take less than a hundredth of a processor.
   */
  callerRefusalsPerSecond: number;
  /** Refusals of each kind that wait at once, over all callers; what finds no room is closed. Default 4096: each takes a few kB of memory. */
  refusalsWaitingMax: number;
  /**
   * Invalid credentials that an address, or a key at an address, may send at once; one more each second. Default 30: whoever configures a client
   * wrongly tries a few times, and several may do so behind one address.
   */
  failedAuthenticationsMax: number;
}

/** The defaults of {@link CallLimits}, which explains them. */
export const defaultCallLimits: Readonly<CallLimits> = {
  readMaxBytes: 1024 * 1024,
  writeMaxBytes: 4 * 1024 * 1024,
  maxTimeoutMs: 60_000,
  defaultTimeoutMs: 15_000,
  maxConcurrentCalls: 512,
  maxConcurrentStreams: 1024,
  callerCallsGuaranteed: 2,
  callerCallsMax: 256,
  callerCallsRunning: 32,
  callerRefusalsPerSecond: 50,
  refusalsWaitingMax: 4096,
  failedAuthenticationsMax: 30,
};
