import { createHash, randomUUID } from "node:crypto";
import type { Position } from "@petak/allocator";
import { parcel } from "../network/network.ts";

/** What a courier asks for: a place for the parcel, as near to a point as there is one, once. */
export interface Order {
  requestId: string;
  participantId: string;
  origin: Position;
  partnerReference: string;
  /** When it is asked and when the hold ends, in ms since 1970. */
  atMs: number;
  untilMs: number;
}

/** Who orders. */
const participantId = "par_0000000000000002";

/** How long a place is held, in ms. */
const holdMs = 900_000;

/** A new order. */
export function newOrder(origin: Position): Order {
  const atMs = Date.now();
  return { requestId: randomUUID(), participantId, origin, partnerReference: "order 2026-11-24/0815", atMs, untilMs: atMs + holdMs };
}

/** What tells one order's body from another's, 16 bytes: both sides keep it, so that a request id cannot be used for something else. */
export function orderFingerprint({ origin, partnerReference }: Order): Buffer {
  return createHash("sha256")
    .update(JSON.stringify([origin, parcel, partnerReference]))
    .digest()
    .subarray(0, 16);
}
