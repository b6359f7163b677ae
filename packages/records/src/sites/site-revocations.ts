import type { Event } from "@petak/protocol";
import type { Keys, RedisConnection, SiteIds } from "@petak/redis";
import { encodeCausedEvent } from "../encoding/event-bytes.ts";
import { requestIdReused } from "../idempotency/request-ids.ts";
import { responseArguments, type StoredResponse } from "../idempotency/stored-response.ts";
import { createScript } from "../lua/create-script.ts";

/** The revocation of a credential for SERVICE. */
export interface SiteRevocation {
  siteId: string;
  /** SHA-256 of the credential's id in base64url. */
  credentialHash: string;
  /** The gateway's clock, in ms. */
  nowMs: number;
  /** How long the revocation is stored, in ms: as long as the credential would be valid. */
  keptMs: number;
  /** The most revocations that are stored for one site. */
  keptMax: number;
  /** Recorded once for each credential. */
  event: Event;
  /** The response to the request. */
  response: StoredResponse;
}

/** Revoked credentials for SERVICE, until they would have expired. */
export interface SiteRevocations {
  /**
   * Stores a revocation and its event, and makes the site's agent synchronize, atomically. `full`: the site has its most revocations, and nothing was
   * changed.
   *
   * @throws {PetakError} REQUEST_ID_REUSED.
   */
  add(revocation: SiteRevocation): Promise<"done" | "repeated" | "full">;
  /** The hashes of the credentials that are revoked at a site at a time, in ms. */
  at(siteId: string, nowMs: number): Promise<string[]>;
}

const script = createScript("revoke-at-site");

/** Stores revocations in Redis. */
export function createSiteRevocations(redis: RedisConnection, keys: Keys, siteIds: SiteIds): SiteRevocations {
  return {
    async add({ siteId, credentialHash, nowMs, keptMs, keptMax, event, response }) {
      const { region, siteNumber } = siteIds.require(siteId);
      const [tag] = await script(
        redis,
        [
          keys.storedResponse(region, response.participantId, response.requestId),
          keys.siteRevoked(region, siteNumber),
          keys.events(region),
          keys.siteAllowedVersion(region, siteNumber),
        ],
        [...responseArguments(response), credentialHash, nowMs, keptMs, keptMax, encodeCausedEvent(event, siteIds)],
      );
      if (tag === "reused") throw requestIdReused(response.requestId);
      return tag as "done" | "repeated" | "full";
    },
    async at(siteId, nowMs) {
      const { region, siteNumber } = siteIds.require(siteId);
      return await redis.zrangebyscore(keys.siteRevoked(region, siteNumber), `(${nowMs}`, "+inf");
    },
  };
}
