import { headerTimeout as connectTimeoutHeader, parseTimeout as parseConnectTimeout } from "@connectrpc/connect/protocol-connect";
import { headerTimeout as grpcTimeoutHeader, parseTimeout as parseGrpcTimeout } from "@connectrpc/connect/protocol-grpc";
import type { WireProtocol } from "../call/wire-protocol.ts";

/** The longest timeout of Node's timers, in ms; a longer one fires at once. */
const longestTimerMs = 2_147_483_647;

/** Limits of a call's deadline. */
export interface DeadlineLimits {
  /** Whether the call is a stream. A stream keeps its own deadline, and has none by default. */
  streaming: boolean;
  maxTimeoutMs: number;
  defaultTimeoutMs: number;
}

/** Returns the name of the protocol's deadline header, in lower case. */
export function deadlineHeaderOf(protocol: WireProtocol): string {
  return isConnect(protocol) ? connectTimeoutHeader.toLowerCase() : grpcTimeoutHeader.toLowerCase();
}

/** Parses a deadline header, in ms. Undefined if there is no header. */
export function parseDeadline(value: string | null, protocol: WireProtocol): number | "invalid" | undefined {
  if (value === null) return undefined;
  const parse = isConnect(protocol) ? parseConnectTimeout : parseGrpcTimeout;
  const { timeoutMs, error } = parse(value, Number.MAX_SAFE_INTEGER);
  return error === undefined ? timeoutMs : "invalid";
}

/** Returns the deadline that applies to a call, in ms, given the one that its caller asked for. */
export function effectiveDeadline(requestedMs: number | undefined, limits: DeadlineLimits): number | undefined {
  const longestMs = limits.streaming ? longestTimerMs : limits.maxTimeoutMs;
  const timeoutMs = requestedMs ?? (limits.streaming ? undefined : limits.defaultTimeoutMs);
  return timeoutMs === undefined ? undefined : Math.min(timeoutMs, longestMs);
}

/**
 * Writes the deadline that applies into the request's headers, where the RPC library reads it, and returns it in ms. An invalid header is
 * left for the library to refuse.
 */
export function limitDeadlineHeader(header: Headers, protocol: WireProtocol, limits: DeadlineLimits): number | undefined {
  const name = deadlineHeaderOf(protocol);
  const requestedMs = parseDeadline(header.get(name), protocol);
  if (requestedMs === "invalid") return effectiveDeadline(undefined, limits);
  const timeoutMs = effectiveDeadline(requestedMs, limits);
  if (timeoutMs === requestedMs || timeoutMs === undefined) return timeoutMs;
  // gRPC allows eight digits, so long deadlines of streams are written in seconds.
  header.set(name, isConnect(protocol) ? String(timeoutMs) : timeoutMs < 1e8 ? `${timeoutMs}m` : `${Math.floor(timeoutMs / 1000)}S`);
  return timeoutMs;
}

function isConnect(protocol: WireProtocol): boolean {
  return protocol === "connect" || protocol === "connect-stream";
}
