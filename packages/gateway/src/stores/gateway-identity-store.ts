import type { RedisConnection } from "@petak/redis";
import type { SecretsFingerprint } from "../secrets/secrets-fingerprint.ts";

/** Whose records these are: gateways that share them must share their secrets, or doors would refuse what another gateway issued. */
export interface GatewayIdentityStore {
  /** Notes the secrets of the gateways that use these records, unless some are noted; gives those that are noted. */
  claim(fingerprint: SecretsFingerprint): Promise<SecretsFingerprint>;
  /** Notes newer secrets in place of those that are noted. */
  replace(fingerprint: SecretsFingerprint): Promise<void>;
  /** The name of the key under which they are noted, for the person who has to remove it. */
  readonly key: string;
}

/** Keeps them in Redis. */
export function createGatewayIdentityStore(redis: RedisConnection, prefix = "petak"): GatewayIdentityStore {
  const key = `${prefix}:gateway-secrets`;
  return {
    key,
    async claim(fingerprint) {
      const before = await redis.set(key, JSON.stringify(fingerprint), "NX", "GET");
      if (before === null) return fingerprint;
      // What a gateway of an earlier version noted says nothing of when.
      return { announcedAtMs: 0, ...(JSON.parse(before) as Omit<SecretsFingerprint, "announcedAtMs">) };
    },
    async replace(fingerprint) {
      await redis.set(key, JSON.stringify(fingerprint));
    },
  };
}
