import type { Region } from "@petak/protocol";
import type { Keys, RedisConnection } from "@petak/redis";
import { answerIn, answerTtlMs } from "./answer.ts";
import { requestIdReused } from "./reservation-store.ts";

/** Which body each request id was used with, whatever the region. */
export interface RequestIds {
  /**
   * Ties a request id to a body. Returns whether it was tied to the same body before: then an answer may be remembered.
   *
   * @throws {PetakError} REQUEST_ID_REUSED where it is tied to another.
   */
  claim(participantId: string, requestId: string, fingerprint: Buffer): Promise<boolean>;
  /**
   * Keeps the answer to a request that changes several regions. It is written after the change: whoever repeats a request that was cut
   * short does the rest of it, and what was done is found done. Gives the answer that is kept for the same body: a twin may have been faster.
   */
  keep(participantId: string, requestId: string, fingerprint: Buffer, answer: Uint8Array): Promise<Uint8Array>;
  /** The answer that was kept for a body, or undefined. */
  kept(participantId: string, requestId: string, fingerprint: Buffer): Promise<Buffer | undefined>;
  /**
   * The answer that a region remembers for a request, or undefined. Only what {@link claim} has seen before can have one.
   *
   * @throws {PetakError} REQUEST_ID_REUSED where it answered another body: what ties the id ends before the answer where the request was sent again, and
   *   may be lost without it.
   */
  recall(region: Region, participantId: string, requestId: string, fingerprint: Buffer): Promise<Buffer | undefined>;
}

/**
 * Keeps request ids in Redis. The answers themselves are kept with their regions, where one script writes them together with what they
 * answer; this record only finds out a reuse that would lead to another region.
 */
export function createRequestIds(redis: RedisConnection, keys: Keys): RequestIds {
  return {
    async claim(participantId, requestId, fingerprint) {
      const tie = tieOf(fingerprint);
      const before = await redis.set(keys.requestId(participantId, requestId), tie, "PX", answerTtlMs, "NX", "GET");
      if (before !== null && before !== tie) throw requestIdReused(requestId);
      return before !== null;
    },
    async keep(participantId, requestId, fingerprint, answer) {
      const key = keys.multiRegionResponse(participantId, requestId, tieOf(fingerprint));
      const before = await redis.setBuffer(key, Buffer.from(answer), "PX", answerTtlMs, "NX", "GET");
      return before ?? answer;
    },
    async kept(participantId, requestId, fingerprint) {
      return (await redis.getBuffer(keys.multiRegionResponse(participantId, requestId, tieOf(fingerprint)))) ?? undefined;
    },
    async recall(region, participantId, requestId, fingerprint) {
      const record = await redis.getBuffer(keys.storedResponse(region, participantId, requestId));
      if (record === null) return undefined;
      if (!record.subarray(0, fingerprint.length).equals(fingerprint)) throw requestIdReused(requestId);
      return answerIn(record);
    },
  };
}

/** What a request id is tied to: 62 bits of a fingerprint as a number. Redis keeps one of 64 bits in the key's own object, where a text would take 40 bytes more. */
export function tieOf(fingerprint: Buffer): string {
  return String(fingerprint.readBigUInt64LE(0) >> 2n);
}
