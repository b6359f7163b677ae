import type { RedisConnection } from "@petak/allocator";
import type { SecretsFingerprint } from "../secrets/secrets-fingerprint.ts";

/** Whose records these are: gateways that share them must share their secrets, or doors would refuse what another gateway issued. */
export interface GatewayIdentityStore {
  /** Notes the secrets of the gateways that use these records, unless some are noted; gives those that are noted. */
  claim(fingerprint: SecretsFingerprint): Promise<SecretsFingerprint>;
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
      return before === null ? fingerprint : (JSON.parse(before) as SecretsFingerprint);
    },
  };
}
