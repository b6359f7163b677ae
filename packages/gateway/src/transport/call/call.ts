import { type ContextKey, type ContextValues, createContextKey } from "@connectrpc/connect";
import type { Reason } from "@petak/protocol";
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
  /** The Authorization header. */
  readonly authorization: string | undefined;
  /** The Origin header, which browsers add to what pages send. */
  readonly origin: string | undefined;
  /** Set once, by whoever decides that the call has failed. */
  outcome: Outcome | undefined;
}

/** The call itself. Set for every call that comes through the request listener. */
export const callKey: ContextKey<Call | undefined> = createContextKey<Call | undefined>(undefined, { description: "call" });

/** Names the caller for the log, e.g. by participant id. Undefined where it is not known. */
export type DescribeCaller = (values: ContextValues) => string | undefined;
