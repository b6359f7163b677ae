import { createHash, createHmac } from "node:crypto";
import type { IssuerKeyPair } from "@petak/credential";
import type { GatewaySecrets } from "./gateway-secrets.ts";

/** What tells one gateway's secrets from another's, and nothing of them. Fingerprints have 64 hexadecimal digits each. */
export interface SecretsFingerprint {
  /** The SHA-256 of the public key of the older epoch, or of the only one. */
  issuerKey: string;
  /** The same of the younger epoch. Left out where there is none. */
  nextIssuerKey?: string;
  /** When the youngest key was written into the secrets, in ms: of two sets of secrets with one derivation key, which is the newer. 0: unknown. */
  announcedAtMs: number;
  /** A commitment to the derivation key, which has 256 bits of chance and cannot be guessed from it. */
  derivationKey: string;
}

/** The fingerprint of a gateway's secrets. */
export function fingerprintOfSecrets(secrets: Pick<GatewaySecrets, "issuerEpochs" | "derivationKey">): SecretsFingerprint {
  const [first, second] = secrets.issuerEpochs();
  return {
    issuerKey: fingerprintOf(first.key),
    ...(second === undefined ? {} : { nextIssuerKey: fingerprintOf(second.key) }),
    announcedAtMs: (second ?? first).announcedAtMs,
    derivationKey: createHmac("sha256", secrets.derivationKey).update("petak secrets fingerprint").digest("hex"),
  };
}

function fingerprintOf({ publicKey }: IssuerKeyPair): string {
  return createHash("sha256").update("petak issuer key\0").update(publicKey).digest("hex");
}
