import { createHash, createHmac } from "node:crypto";
import type { SecretsFingerprint } from "@petak/records";
import type { GatewaySecrets } from "./gateway-secrets.ts";

/** What a fingerprint is made of. */
export type FingerprintedSecrets = Pick<GatewaySecrets, "issuerEpochs" | "issuerCertificates" | "derivationKey">;

/** The fingerprint of a gateway's secrets. */
export function fingerprintOfSecrets(secrets: FingerprintedSecrets): SecretsFingerprint {
  const [first, second] = secrets.issuerEpochs();
  const revoked = secrets.issuerCertificates()?.revocations ?? [];
  return {
    issuerKey: fingerprintOf(first.key),
    ...(second === undefined ? {} : { nextIssuerKey: fingerprintOf(second.key) }),
    announcedAtMs: (second ?? first).announcedAtMs,
    ...(revoked.length > 0 && { revokedKeys: revoked.map(fingerprintOf) }),
    derivationKey: createHmac("sha256", secrets.derivationKey).update("petak secrets fingerprint").digest("hex"),
  };
}

function fingerprintOf({ publicKey }: { publicKey: Uint8Array }): string {
  return createHash("sha256").update("petak issuer key\0").update(publicKey).digest("hex");
}
