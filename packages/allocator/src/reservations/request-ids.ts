import type { Redis } from "ioredis";
import type { Keys } from "../keys.ts";
import { answerTtlMs } from "./answer.ts";
import { requestIdReused } from "./reservation-store.ts";

/** Which body each request id was used with, whatever the region. */
export interface RequestIds {
  /**
   * Ties a request id to a body.
   *
   * @throws {PetakError} REQUEST_ID_REUSED where it is tied to another.
   */
  claim(participantId: string, requestId: string, fingerprint: Buffer): Promise<void>;
}

/**
 * Keeps request ids in Redis. The answers themselves are kept with their regions, where one script writes them together with what they
 * answer; this record only finds out a reuse that would lead to another region.
 */
export function createRequestIds(redis: Redis, keys: Keys): RequestIds {
  return {
    async claim(participantId, requestId, fingerprint) {
      const before = await redis.setBuffer(
        keys.requestId(participantId, requestId),
        fingerprint,
        "PX",
        answerTtlMs,
        "NX",
        "GET",
      );
      if (before !== null && !before.equals(fingerprint)) throw requestIdReused(requestId);
    },
  };
}
