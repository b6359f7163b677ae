import { create } from "@bufbuild/protobuf";
import { type TrustBundle, TrustBundleSchema } from "@petak/protocol";
import { judgeKeyStatement, type StatementFault } from "../certificate/certificate.ts";

/** Revocations of a bundle that are judged: those beyond would only cost time. */
export const revocationsMax = 64;

/** What an agent that knows the operator's root key believes of a trust bundle. */
export interface CertifiedTrust {
  /** The bundle with those of its keys that the root has certified and not revoked. Undefined: there is none. */
  readonly bundle: TrustBundle | undefined;
  /** The latest time at which the root certified one of these keys, in ms: it has certainly passed. 0: none. */
  readonly certifiedAtMs: number;
  /** The keys that were left out, and what is wrong with their certificates. */
  readonly refused: readonly { readonly keyId: string; readonly fault: StatementFault | "revoked" }[];
}

/** The public keys that a root revokes in a trust bundle, of 32 bytes each. A revocation counts whatever the time is: what ends a key must not wait for a clock. */
export async function revokedIssuerKeys({ revocations }: TrustBundle, rootKey: Uint8Array): Promise<Uint8Array[]> {
  const some = revocations.slice(0, revocationsMax);
  const judged = await Promise.all(some.map((text) => judgeKeyStatement(text, { type: "revocation", rootKey, kind: "issuer" })));
  return judged.flatMap((statement) => (typeof statement === "string" ? [] : [statement.publicKey]));
}

/**
 * Judges the keys of an offered trust bundle by their certificates. A certificate must be valid now, not as long as the bundle: what was certified when the bundle
 * came is relied on until the bundle ends.
 *
 * @param isRevoked whether the root has ever revoked a public key
 * @param nowMs the agent's clock, in ms
 */
export async function certifiedTrust(
  bundle: TrustBundle,
  rootKey: Uint8Array,
  isRevoked: (publicKey: Uint8Array) => boolean,
  nowMs: number,
): Promise<CertifiedTrust> {
  const refused: { keyId: string; fault: StatementFault | "revoked" }[] = [];
  const kept: TrustBundle["issuerKeys"] = [];
  let certifiedAtMs = 0;
  for (const key of bundle.issuerKeys) {
    const { keyId, publicKey, certificate } = key;
    const judged = await judgeKeyStatement(certificate, { type: "certificate", rootKey, kind: "issuer", nowMs });
    const fault = typeof judged === "string" ? judged : faultOf(judged, key, isRevoked(publicKey));
    if (typeof judged === "string" || fault !== undefined) {
      refused.push({ keyId, fault: fault ?? "form" });
      continue;
    }
    kept.push(key);
    certifiedAtMs = Math.max(certifiedAtMs, judged.notBeforeS * 1000);
  }
  const certified = kept.length === 0 ? undefined : create(TrustBundleSchema, { ...bundle, issuerKeys: kept });
  return { bundle: certified, certifiedAtMs, refused };
}

/** A trust bundle without the keys that were revoked. It may have none left. */
export function withoutRevoked(bundle: TrustBundle, isRevoked: (publicKey: Uint8Array) => boolean): TrustBundle {
  return create(TrustBundleSchema, { ...bundle, issuerKeys: bundle.issuerKeys.filter(({ publicKey }) => !isRevoked(publicKey)) });
}

/** Whether the certificate of a key is another's, or the key is revoked. */
function faultOf(
  certified: { keyId: string; publicKey: Uint8Array },
  { keyId, publicKey }: { keyId: string; publicKey: Uint8Array },
  isRevoked: boolean,
): StatementFault | "revoked" | undefined {
  if (certified.keyId !== keyId || certified.publicKey.some((byte, index) => byte !== publicKey[index]) || publicKey.length !== 32)
    return "key";
  return isRevoked ? "revoked" : undefined;
}
