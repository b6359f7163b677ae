import { type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import type { CredentialRecord } from "@petak/lifecycle";
import { PetakError } from "@petak/protocol";
import type { IssuedCredentials } from "@petak/records";

/**
 * Refuses to revoke an access token that was never issued for a reservation or bundle, so that a mistyped hash does not look revoked and takes none of the
 * few revocations. A record made before issued tokens were recorded may have any token.
 *
 * @param credentialHash empty: no token is revoked
 * @throws {PetakError} CREDENTIAL_NOT_FOUND.
 */
export async function refuseUnissued(
  issuedCredentials: Pick<IssuedCredentials, "has" | "completeSinceMs">,
  record: CredentialRecord & { createdAt?: Timestamp | undefined },
  subjectId: string,
  credentialHash: string,
  nowMs: number,
): Promise<void> {
  if (credentialHash === "") return;
  const listed = [...record.delegations, ...record.revokedCredentials];
  if (listed.some((one) => one.credentialHash === credentialHash)) return;
  if (await issuedCredentials.has(subjectId, credentialHash, nowMs)) return;
  const createdMs = record.createdAt === undefined ? 0 : timestampMs(record.createdAt);
  if (createdMs < (await issuedCredentials.completeSinceMs())) return;
  throw credentialNotFound(subjectId, credentialHash);
}

/** The error for a token that was not issued. */
export function credentialNotFound(subject: string, credentialHash: string): PetakError {
  return new PetakError("CREDENTIAL_NOT_FOUND", `no access token of ${subject} that may be valid has the hash ${credentialHash}`, {
    metadata: { credential_hash: credentialHash, subject },
  });
}
