import { headerTimeout as connectTimeoutHeader, parseTimeout as parseConnectTimeout } from "@connectrpc/connect/protocol-connect";
import { headerTimeout as grpcTimeoutHeader, parseTimeout as parseGrpcTimeout } from "@connectrpc/connect/protocol-grpc";
import type { WireProtocol } from "../call/wire-protocol.ts";

/** The longest that a timer of Node runs, in ms; a longer one fires at once. */
const longestTimerMs = 2_147_483_647;

/** Bounds of a call's deadline. */
export interface DeadlineBounds {
  /** Whether the call is a stream: its own deadline is kept, and none is given to it. */
  streaming: boolean;
  maxTimeoutMs: number;
  defaultTimeoutMs: number;
}

/** Name of the header in which a protocol has the deadline, in lower case. */
export function deadlineHeaderOf(protocol: WireProtocol): string {
  return isConnect(protocol) ? connectTimeoutHeader.toLowerCase() : grpcTimeoutHeader.toLowerCase();
}

/** The deadline that a header says, in ms; undefined where there is no header, `unreadable` where it says something else. */
export function readDeadline(value: string | null, protocol: WireProtocol): number | "unreadable" | undefined {
  if (value === null) return undefined;
  const parse = isConnect(protocol) ? parseConnectTimeout : parseGrpcTimeout;
  const { timeoutMs, error } = parse(value, Number.MAX_SAFE_INTEGER);
  return error === undefined ? timeoutMs : "unreadable";
}

/** The deadline that holds for a caller who wants this one, in ms. */
export function effectiveDeadline(wantedMs: number | undefined, bounds: DeadlineBounds): number | undefined {
  const longestMs = bounds.streaming ? longestTimerMs : bounds.maxTimeoutMs;
  const heldMs = wantedMs ?? (bounds.streaming ? undefined : bounds.defaultTimeoutMs);
  return heldMs === undefined ? undefined : Math.min(heldMs, longestMs);
}

/**
 * Puts the deadline that holds into the request's headers, where the library looks for it, and tells it in ms. A header that cannot be
 * read stays as it is, for the library to refuse.
 */
export function limitDeadlineHeader(header: Headers, protocol: WireProtocol, bounds: DeadlineBounds): number | undefined {
  const name = deadlineHeaderOf(protocol);
  const wantedMs = readDeadline(header.get(name), protocol);
  if (wantedMs === "unreadable") return effectiveDeadline(undefined, bounds);
  const heldMs = effectiveDeadline(wantedMs, bounds);
  if (heldMs === wantedMs || heldMs === undefined) return heldMs;
  // gRPC allows eight digits, so long deadlines of streams are told in seconds.
  header.set(name, isConnect(protocol) ? String(heldMs) : heldMs < 1e8 ? `${heldMs}m` : `${Math.floor(heldMs / 1000)}S`);
  return heldMs;
}

function isConnect(protocol: WireProtocol): boolean {
  return protocol === "connect" || protocol === "connect-stream";
}
