import { type ContextKey, type ContextValues, createContextKey } from "@connectrpc/connect";
import type { Reason } from "@petak/protocol";
import type { SpanIds } from "../../observability/tracing.ts";
import type { Ticket } from "./ticket.ts";
import type { WireProtocol } from "./wire-protocol.ts";

/** How a call ended. */
export interface Outcome {
  /** The code as it is written on the wire, e.g. `not_found`. */
  readonly code: string;
  /** The reason from the error catalogue. Undefined for a success. */
  readonly reason: Reason | undefined;
}

/** One call, from its headers to the end of its answer. */
export interface Call {
  /** The id that the caller sent in `x-request-id`, or a generated one. */
  readonly requestId: string;
  /** The method, e.g. `petak.v1.DirectoryService/FindNearest`. */
  readonly method: string;
  readonly protocol: WireProtocol;
  /** The time that the call may take, in ms. Undefined for a stream without a deadline. */
  readonly timeoutMs: number | undefined;
  /** The Authorization header. */
  readonly authorization: string | undefined;
  /** The Origin header, which browsers add to requests of pages. */
  readonly origin: string | undefined;
  /** The account of the address that it comes from, see `limits/peer.ts`. */
  readonly source: string;
  /** Its share of the gateway. Undefined for requests that need none. */
  readonly ticket: Ticket | undefined;
  /** The DPoP header: a proof for this one call. */
  readonly proof: string | undefined;
  /** The traceparent header as sent: the trace that the call belongs to, if it is valid. */
  readonly traceparent: string | undefined;
  /** Set once, by the code that decides that the call has failed. */
  outcome: Outcome | undefined;
  /** The span that it will have. Set when its work begins; null: none. */
  span: SpanIds | null | undefined;
}

/** The context value that holds the call. It is set for every call that the request listener gets. */
export const callKey: ContextKey<Call | undefined> = createContextKey<Call | undefined>(undefined, { description: "call" });

/** Names the caller for the log, e.g. by participant id. Undefined if the caller is not known. */
export type DescribeCaller = (values: ContextValues) => string | undefined;
