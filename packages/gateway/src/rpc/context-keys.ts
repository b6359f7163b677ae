import { type ContextKey, type ContextValues, createContextKey } from "@connectrpc/connect";
import type { Reason } from "@petak/protocol";
import { pino } from "pino";
import type { Logger } from "../observability/logger.ts";
import type { WireProtocol } from "./wire-protocol.ts";

/** How a call ended. */
export interface Outcome {
  /** The code on the wire in its written form, e.g. `not_found`. */
  readonly code: string;
  /** The reason of the catalogue. Undefined for a success. */
  readonly reason: Reason | undefined;
}

/** One call from its headers to the end of its answer. */
export interface Call {
  /** The id that the caller sent in `x-request-id`, or one made here. */
  readonly requestId: string;
  /** The method as `petak.v1.DirectoryService/FindNearest`. */
  readonly method: string;
  /** How the call came. */
  readonly protocol: WireProtocol;
  /** The time that the call may take, in ms. Undefined for a stream without a deadline. */
  readonly timeoutMs: number | undefined;
  /** Set once, by whoever decides that the call has failed. */
  outcome: Outcome | undefined;
}

const noLogger = pino({ level: "silent" });

/** The call itself. Set for every call that comes through the request listener. */
export const callKey: ContextKey<Call | undefined> = createContextKey<Call | undefined>(undefined, { description: "call" });

/** The request id of the call. Empty outside of a call. */
export const requestIdKey: ContextKey<string> = createContextKey("", { description: "request id" });

/** A logger whose lines carry the request id. Silent outside of a call. */
export const loggerKey: ContextKey<Logger> = createContextKey<Logger>(noLogger, { description: "logger" });

/**
 * Aborts when the gateway begins to stop. Unary handlers that wait for something, as a long poll does, answer then with what they have;
 * their `context.signal` does not abort for it, so that what is in flight is finished.
 */
export const shutdownSignalKey: ContextKey<AbortSignal | undefined> = createContextKey<AbortSignal | undefined>(undefined, {
  description: "shutdown signal",
});

/** Names the caller for the log, e.g. by participant id. Undefined where it is not known. */
export type DescribeCaller = (values: ContextValues) => string | undefined;
