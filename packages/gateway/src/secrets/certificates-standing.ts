import { certificateOf, type IssuerCertificates } from "./issuer-certificates.ts";
import { epochInForce, type IssuerEpochs } from "./issuer-epochs.ts";

/** How long before its end a certificate is warned of, in ms: time to fetch the root key from where it is kept. */
export const certificateWarningMs = 30 * 86_400_000;

/**
 * Whether agents will go on believing the issuer keys: `none`: the operator has no root key, and agents believe keys without certificates. `ok`. `ending`: in less than
 * 30 days they will not. `ended`: they believe them no more, and open for tokens until their trust bundles end.
 */
export type CertificatesStanding =
  | { readonly state: "none" }
  | { readonly state: "ok" | "ending" | "ended"; readonly keyId: string /** 0: the key has no certificate. */; readonly endsAtMs: number };

/** How the certificates stand of the key that signs and the one that is announced: by the one that ends first. */
export function certificatesStanding(
  epochs: IssuerEpochs,
  certificates: IssuerCertificates | undefined,
  nowMs: number,
): CertificatesStanding {
  if (certificates === undefined) return { state: "none" };
  const inForce = epochInForce(epochs, nowMs);
  const standings = epochs
    .filter(({ signsFromMs }) => signsFromMs >= inForce.signsFromMs)
    .map(({ key: { keyId, publicKey } }) => ({ keyId, endsAtMs: (certificateOf(certificates, publicKey)?.notAfterS ?? 0) * 1000 }));
  const first = standings.reduce((least, next) => (next.endsAtMs < least.endsAtMs ? next : least));
  if (first.endsAtMs <= nowMs) return { state: "ended", ...first };
  return { state: first.endsAtMs - nowMs < certificateWarningMs ? "ending" : "ok", ...first };
}
