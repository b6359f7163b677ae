import { createHash, createHmac } from "node:crypto";
import type { GatewaySecrets } from "./gateway-secrets.ts";

/** What tells one gateway's secrets from another's, and nothing of them: 64 hexadecimal digits each. */
export interface SecretsFingerprint {
  /** The SHA-256 of the issuer's public key. */
  issuerKey: string;
  /** A commitment to the derivation key, which has 256 bits of chance and cannot be guessed from it. */
  derivationKey: string;
}

/** The fingerprint of a gateway's secrets. */
export function fingerprintOfSecrets({
  issuerKey,
  derivationKey,
}: Pick<GatewaySecrets, "issuerKey" | "derivationKey">): SecretsFingerprint {
  return {
    issuerKey: createHash("sha256").update("petak issuer key\0").update(issuerKey.publicKey).digest("hex"),
    derivationKey: createHmac("sha256", derivationKey).update("petak secrets fingerprint").digest("hex"),
  };
}
