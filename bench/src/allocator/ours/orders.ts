import { createHash, randomUUID } from "node:crypto";
import type { Position } from "@petak/allocator";
import { parcel } from "../network/network.ts";

/** A courier's request: a place for the parcel as near to a point as possible, once. */
export interface Order {
  requestId: string;
  participantId: string;
  origin: Position;
  partnerReference: string;
  /** When it is made and when the hold ends, in ms since 1970. */
  atMs: number;
  untilMs: number;
}

/** The participant that orders. */
const participantId = "par_0000000000000002";

/** Length of a hold, in ms. */
const holdMs = 900_000;

/** A new order. */
export function newOrder(origin: Position): Order {
  const atMs = Date.now();
  return { requestId: randomUUID(), participantId, origin, partnerReference: "order 2026-11-24/0815", atMs, untilMs: atMs + holdMs };
}

/** A hash of an order's content, 16 bytes: both sides store it, so that a request id cannot be reused for another order. */
export function orderFingerprint({ origin, partnerReference }: Order): Buffer {
  return createHash("sha256")
    .update(JSON.stringify([origin, parcel, partnerReference]))
    .digest()
    .subarray(0, 16);
}
