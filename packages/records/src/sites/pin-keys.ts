import { formatBundleId, formatReservationId, parseBundleId, parseReservationId } from "@petak/protocol";
import { isStoreFailure, type Keys, type RedisConnection, type SiteIds } from "@petak/redis";
import { createScript } from "../lua/create-script.ts";
import type { LeaseKey } from "./agent-leases.ts";
import { type Device, fenceBytes } from "./device-report.ts";

/** The generations of the keys under which the PINs of sites are hashed. */
export interface PinKeys {
  /** The generation of a site's key: 0, and one more each time it was raised. */
  generation(siteId: string): Promise<number>;
  /**
   * The same, for an agent to which the key is given, as is noted. Undefined: another agent has taken its place since its call was allowed, so that it must not have
   * the key.
   */
  handOver(device: Device): Promise<number | undefined>;
  /**
   * Whether an agent may know the present key. Asked after the agent's key has ended, the answer is final.
   *
   * @param createdMs when its key was made, in ms since 1970
   */
  mayKnow(key: LeaseKey, createdMs: number): Promise<boolean>;
  /**
   * Ends all PINs of a site and raises the generation of its key, once for each cause in a row. Atomic. Returns how many PINs ended.
   *
   * @param cause what a repetition has in common with the first
   */
  raise(siteId: string, cause: string): Promise<number>;
  /** Some of the reservations and bundles whose PIN has ended and whose holders have not been told. */
  toTell(siteId: string): Promise<string[]>;
  /** Records that the holders of one have been told. */
  told(siteId: string, subjectId: string): Promise<void>;
}

/** How many are told at once: as many as the store combines into one step. */
const atOnce = 32;

/** Length of a bundle's field: `b` and its handle. */
const bundleFieldLength = 17;

const script = createScript("raise-pin-key");
const handOverScript = createScript("hand-over-pin-key");

/** Keeps the generations in Redis, with the PINs. */
export function createPinKeys(redis: RedisConnection, keys: Keys, siteIds: SiteIds): PinKeys {
  function namesFor({ siteId, keyId }: LeaseKey) {
    const { region, siteNumber } = siteIds.require(siteId);
    return {
      watermark: keys.agentWatermark(region, siteNumber, keyId),
      lease: keys.agentLease(region, siteNumber, keyId),
      pins: keys.sitePins(region, siteNumber),
    };
  }

  async function generation(siteId: string): Promise<number> {
    const { region, siteNumber } = siteIds.require(siteId);
    return Number.parseInt((await redis.hget(keys.sitePins(region, siteNumber), "#")) ?? "0", 10);
  }

  /** The generation that there is, and the last one that an agent was told. */
  async function told(key: LeaseKey): Promise<{ generation: number; known: number | undefined }> {
    const [present, known] = await Promise.all([generation(key.siteId), redis.hget(namesFor(key).lease, "pin_key")]);
    return { generation: present, known: known === null ? undefined : Number(known) };
  }

  return {
    generation,
    async handOver({ fence, ...key }) {
      const names = namesFor(key);
      try {
        const [tag, value] = await handOverScript(redis, [names.watermark, names.lease, names.pins], [fenceBytes(fence)]);
        return tag === "handed" ? Number(value) : undefined;
      } catch (error) {
        // A store that rejects writes must not keep an agent from reading what it was told before.
        if (!isStoreFailure(error)) throw error;
        const { known, generation } = await told(key);
        if (known !== generation) throw error;
        return generation;
      }
    },
    async mayKnow(key, createdMs) {
      const [{ known, generation }, notedSince] = await Promise.all([told(key), redis.get(keys.issuedSince())]);
      // An earlier release did not note it. The first that notes it is the first that records credentials.
      return known === generation || (known === undefined && createdMs < Number(notedSince ?? 0));
    },
    async raise(siteId, cause) {
      const { region, siteNumber } = siteIds.require(siteId);
      const names = [
        keys.sitePins(region, siteNumber),
        keys.sitePinsEnded(region, siteNumber),
        keys.siteAllowedVersion(region, siteNumber),
      ];
      const [, ended] = await script(redis, names, [cause]);
      return Number(ended);
    },
    async toTell(siteId) {
      const { region, siteNumber } = siteIds.require(siteId);
      const fields = await redis.srandmember(keys.sitePinsEnded(region, siteNumber), atOnce);
      return fields.map((field) =>
        field.length === bundleFieldLength ? formatBundleId(region, field.slice(1)) : formatReservationId(region, field),
      );
    },
    async told(siteId, subjectId) {
      const { region, siteNumber } = siteIds.require(siteId);
      const bundle = parseBundleId(subjectId);
      const field = bundle === undefined ? (parseReservationId(subjectId)?.handle ?? "") : `b${bundle.handle}`;
      await redis.srem(keys.sitePinsEnded(region, siteNumber), field);
    },
  };
}
