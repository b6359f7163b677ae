import type { Event } from "@petak/protocol";
import type { Keys, RedisConnection, SiteIds } from "@petak/redis";
import { createScript } from "../create-script.ts";
import { encodeEvent } from "../events/event-bytes.ts";
import { type Answer, answerArguments } from "../reservations/answer.ts";
import { requestIdReused } from "../reservations/reservation-store.ts";

/** A credential for work at a site that is to open nothing any more. */
export interface SiteRevocation {
  siteId: string;
  /** SHA-256 of the credential's id in base64url. */
  credentialHash: string;
  /** The gateway's clock, in ms. */
  nowMs: number;
  /** For how long it is kept, in ms: for as long as the credential can open. */
  keptMs: number;
  /** How many of one site are kept at most. */
  keptMax: number;
  /** What is recorded, once for each credential. */
  event: Event;
  /** The answer to remember for the request. */
  answer: Answer;
}

/** The credentials for work at sites that open nothing any more, for as long as they would open. */
export interface SiteRevocations {
  /**
   * Writes one down, with its event, and lets the site's agent hear of it: all or nothing. `full`: as many are kept as may be, and nothing was done.
   *
   * @throws {PetakError} REQUEST_ID_REUSED.
   */
  add(revocation: SiteRevocation): Promise<"done" | "repeated" | "full">;
  /** Their hashes at a site, at a time in ms. */
  at(siteId: string, nowMs: number): Promise<string[]>;
}

const script = createScript("revoke-at-site");

/** Keeps them in Redis. */
export function createSiteRevocations(redis: RedisConnection, keys: Keys, siteIds: SiteIds): SiteRevocations {
  return {
    async add({ siteId, credentialHash, nowMs, keptMs, keptMax, event, answer }) {
      const { region, siteNumber } = siteIds.require(siteId);
      const [tag] = await script(
        redis,
        [
          keys.storedResponse(region, answer.participantId, answer.requestId),
          keys.siteRevoked(region, siteNumber),
          keys.events(region),
          keys.siteAllowedVersion(region, siteNumber),
        ],
        [...answerArguments(answer), credentialHash, nowMs, keptMs, keptMax, encodeEvent(event, siteIds)],
      );
      if (tag === "reused") throw requestIdReused(answer.requestId);
      return tag as "done" | "repeated" | "full";
    },
    async at(siteId, nowMs) {
      const { region, siteNumber } = siteIds.require(siteId);
      return await redis.zrangebyscore(keys.siteRevoked(region, siteNumber), `(${nowMs}`, "+inf");
    },
  };
}
