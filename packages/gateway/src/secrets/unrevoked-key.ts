import type { IssuerKeyPair } from "@petak/credential";
import { PetakError } from "@petak/protocol";
import type { GatewaySecrets } from "./gateway-secrets.ts";
import { isRevoked } from "./issuer-certificates.ts";
import { signingKey } from "./issuer-epochs.ts";

/**
 * The issuer key in force at a time, in ms.
 *
 * @param what is signed, in the plural, for the error
 * @throws {PetakError} STORE_UNAVAILABLE if the operator's root has revoked it, for the moment in which its successor is not in the secrets yet.
 */
export function unrevokedKey(
  secrets: Pick<GatewaySecrets, "issuerEpochs" | "issuerCertificates">,
  atMs: number,
  what: string,
): IssuerKeyPair {
  const key = signingKey(secrets.issuerEpochs(), atMs);
  if (!isRevoked(secrets.issuerCertificates(), key.publicKey)) return key;
  const sentence = `the key that signs ${what} was revoked, and the next one is not there yet; send the same request again`;
  throw new PetakError("STORE_UNAVAILABLE", sentence, { retryAfterMs: 1000 });
}
