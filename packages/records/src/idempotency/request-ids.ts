import { PetakError, type Region } from "@petak/protocol";
import type { Keys, RedisConnection } from "@petak/redis";
import { responseIn, responseTtlMs } from "./stored-response.ts";

/** Idempotency keys: which body each request id was used with, in any region, and the responses to requests. */
export interface RequestIds {
  /**
   * Binds a request id to a body. Returns true if it was already bound to the same body: only then can there be a stored response.
   *
   * @throws {PetakError} REQUEST_ID_REUSED if it is bound to another body.
   */
  claim(participantId: string, requestId: string, fingerprint: Buffer): Promise<boolean>;
  /**
   * Stores the response to a request that changes several regions, after the changes. If the request is interrupted before, its repetition completes the
   * changes, which are idempotent. Returns the response that is stored for this body: a duplicate may have been faster.
   */
  storeResponse(participantId: string, requestId: string, fingerprint: Buffer, response: Uint8Array): Promise<Uint8Array>;
  /** The response that {@link storeResponse} stored for a body, or undefined. */
  findResponse(participantId: string, requestId: string, fingerprint: Buffer): Promise<Buffer | undefined>;
  /**
   * The response that was stored with a change in one region, or undefined.
   *
   * @throws {PetakError} REQUEST_ID_REUSED if it is the response to another body. {@link claim} does not always find this out: the binding expires
   *   earlier than the response to a request that was sent again, and a failover may lose it alone.
   */
  findResponseIn(region: Region, participantId: string, requestId: string, fingerprint: Buffer): Promise<Buffer | undefined>;
}

/**
 * Stores request ids in Redis. The response to a change in one region is stored in that region, by the script that makes the change. The binding of the
 * request id, which belongs to no region, detects reuse that would lead to another region.
 */
export function createRequestIds(redis: RedisConnection, keys: Keys): RequestIds {
  return {
    async claim(participantId, requestId, fingerprint) {
      const binding = bindingOf(fingerprint);
      const before = await redis.set(keys.requestId(participantId, requestId), binding, "PX", responseTtlMs, "NX", "GET");
      if (before !== null && before !== binding) throw requestIdReused(requestId);
      return before !== null;
    },
    async storeResponse(participantId, requestId, fingerprint, response) {
      const key = keys.multiRegionResponse(participantId, requestId, bindingOf(fingerprint));
      const before = await redis.setBuffer(key, Buffer.from(response), "PX", responseTtlMs, "NX", "GET");
      return before ?? response;
    },
    async findResponse(participantId, requestId, fingerprint) {
      return (await redis.getBuffer(keys.multiRegionResponse(participantId, requestId, bindingOf(fingerprint)))) ?? undefined;
    },
    async findResponseIn(region, participantId, requestId, fingerprint) {
      const entry = await redis.getBuffer(keys.storedResponse(region, participantId, requestId));
      if (entry === null) return undefined;
      if (!entry.subarray(0, fingerprint.length).equals(fingerprint)) throw requestIdReused(requestId);
      return responseIn(entry);
    },
  };
}

/**
 * The value that a request id is bound to: 62 bits of the fingerprint as a number. Redis stores a 64-bit integer in the key's own object; a string would
 * take 40 bytes more.
 */
export function bindingOf(fingerprint: Buffer): string {
  return String(fingerprint.readBigUInt64LE(0) >> 2n);
}

/** The error for a request id that was used with another body. */
export function requestIdReused(requestId: string): PetakError {
  return new PetakError(
    "REQUEST_ID_REUSED",
    `request_id ${requestId} was used with a different body; generate a new UUID for a new request`,
    {
      metadata: { request_id: requestId },
    },
  );
}
