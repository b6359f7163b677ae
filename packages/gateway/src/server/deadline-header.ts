import { headerTimeout as connectTimeoutHeader, parseTimeout as parseConnectTimeout } from "@connectrpc/connect/protocol-connect";
import { headerTimeout as grpcTimeoutHeader, parseTimeout as parseGrpcTimeout } from "@connectrpc/connect/protocol-grpc";
import type { WireProtocol } from "../rpc/wire-protocol.ts";

/** The longest that a timer of Node runs, in ms; a longer one fires at once. */
const longestTimerMs = 2_147_483_647;

/** Bounds of a call's deadline. */
export interface DeadlineBounds {
  /** Whether the call is a stream: its own deadline is kept, and none is given to it. */
  streaming: boolean;
  maxTimeoutMs: number;
  defaultTimeoutMs: number;
}

/**
 * Puts the deadline that holds into the request's headers, where the library looks for it, and tells it in ms. A header that cannot be
 * read stays as it is, for the library to refuse.
 */
export function boundDeadline(header: Headers, protocol: WireProtocol, bounds: DeadlineBounds): number | undefined {
  const isConnect = protocol === "connect" || protocol === "connect-stream";
  const name = isConnect ? connectTimeoutHeader : grpcTimeoutHeader;
  const parse = isConnect ? parseConnectTimeout : parseGrpcTimeout;
  const { timeoutMs, error } = parse(header.get(name), Number.MAX_SAFE_INTEGER);
  if (error !== undefined) return bounds.streaming ? undefined : bounds.defaultTimeoutMs;
  const longestMs = bounds.streaming ? longestTimerMs : bounds.maxTimeoutMs;
  const wantedMs = timeoutMs ?? (bounds.streaming ? undefined : bounds.defaultTimeoutMs);
  if (wantedMs === undefined) return undefined;
  const heldMs = Math.min(wantedMs, longestMs);
  // gRPC allows eight digits, so long deadlines of streams are told in seconds.
  if (heldMs !== timeoutMs) header.set(name, isConnect ? String(heldMs) : heldMs < 1e8 ? `${heldMs}m` : `${Math.floor(heldMs / 1000)}S`);
  return heldMs;
}
