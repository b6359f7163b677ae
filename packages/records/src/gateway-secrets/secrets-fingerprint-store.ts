import type { Keys, RedisConnection } from "@petak/redis";

/** Identifies the secrets of a gateway without revealing them. Fingerprints are 64 hexadecimal digits each. */
export interface SecretsFingerprint {
  /** SHA-256 of the public key of the older issuer epoch, or of the only one. */
  issuerKey: string;
  /** The same of the younger epoch. Absent when there is one epoch only. */
  nextIssuerKey?: string;
  /** When the youngest key was written to the secrets, in ms since 1970: tells which of two sets with one derivation key is newer. 0: unknown. */
  announcedAtMs: number;
  /** The same as `issuerKey` of each key that the operator's root has revoked. Absent: none. */
  revokedKeys?: string[];
  /** A commitment to the derivation key, whose 256 random bits cannot be guessed from it. */
  derivationKey: string;
}

/** The secrets fingerprint of the gateways that share these records. They must share their secrets, or doors refuse what another gateway issued. */
export interface SecretsFingerprintStore {
  /** Records the fingerprint unless one is recorded; returns the recorded one. */
  claim(fingerprint: SecretsFingerprint): Promise<SecretsFingerprint>;
  /** Replaces the recorded fingerprint by a newer one. */
  replace(fingerprint: SecretsFingerprint): Promise<void>;
  /** The Redis key of the record, for the person who has to remove it. */
  readonly key: string;
}

/** Keeps the fingerprint in Redis. */
export function createSecretsFingerprintStore(redis: RedisConnection, keys: Keys): SecretsFingerprintStore {
  const key = keys.gatewaySecrets();
  return {
    key,
    async claim(fingerprint) {
      const before = await redis.set(key, JSON.stringify(fingerprint), "NX", "GET");
      if (before === null) return fingerprint;
      // Gateways of an earlier version did not record the time.
      return { announcedAtMs: 0, ...(JSON.parse(before) as Omit<SecretsFingerprint, "announcedAtMs">) };
    },
    async replace(fingerprint) {
      await redis.set(key, JSON.stringify(fingerprint));
    },
  };
}
