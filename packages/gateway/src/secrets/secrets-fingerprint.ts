import { createHash, createHmac } from "node:crypto";
import type { IssuerKeyPair } from "@petak/credential";
import type { SecretsFingerprint } from "@petak/records";
import type { GatewaySecrets } from "./gateway-secrets.ts";

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
