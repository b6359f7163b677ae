import { timestampMs } from "@bufbuild/protobuf/wkt";
import { accessTokenMaxLifetimeMs, credentialHash, encodeBase64url } from "@petak/credential";
import type { Act } from "@petak/protocol";
import type { CredentialSubject, CredentialTerms, IssuedCredential } from "./credential-issuer.ts";
import type { ReservationDependencies } from "./dependencies.ts";

export type RecordIssuedDependencies = Pick<ReservationDependencies, "credentials" | "issuedCredentials" | "now">;

/** An issued credential and the inputs from which it was made. */
export interface Issued extends CredentialSubject {
  issued: Omit<IssuedCredential, "pin">;
  act: Act;
  withPin: boolean;
  /** The key to which the token is bound, if it is. */
  holderPublicKey?: Uint8Array | undefined;
  requestId: string;
  terms: CredentialTerms;
}

/** Records an access token and its PIN, for what sites report of them. Must succeed before they are handed out. */
export async function recordIssued(
  { credentials, issuedCredentials, now }: RecordIssuedDependencies,
  { siteId, subjectId, issued, act, withPin, holderPublicKey, requestId, terms }: Issued,
): Promise<void> {
  const nowMs = now();
  const { credentialHash: tokenHash, expiresAt } = issued;
  const token = {
    kind: act,
    isBound: holderPublicKey !== undefined,
    credentialHash: tokenHash,
    expiresAtMs: timestampMs(expiresAt),
    nowMs,
  };
  const recording = [issuedCredentials.add(subjectId, token)];
  if (withPin) {
    const { hash, notBeforeS } = await credentials.pinEntry({ siteId, subjectId }, requestId, terms);
    // Its end may be moved, but never beyond the longest validity.
    const expiresAtMs = notBeforeS * 1000 + accessTokenMaxLifetimeMs;
    recording.push(
      issuedCredentials.add(subjectId, {
        kind: "PIN",
        isBound: false,
        credentialHash: await credentialHash(encodeBase64url(hash)),
        expiresAtMs,
        nowMs,
      }),
    );
  }
  await Promise.all(recording);
}
