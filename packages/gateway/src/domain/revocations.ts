import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type Bundle,
  type Delegation,
  PetakError,
  type Reservation,
  type RevokedCredential,
  RevokedCredentialSchema,
} from "@petak/protocol";

/** What is kept of the credentials that were made of others, or that open nothing any more. */
export type CredentialRecord = Pick<Reservation | Bundle, "delegations" | "revokedCredentials">;

/** So many credentials of one reservation or bundle are delegated at most, and so many revoked: its record must not grow without end. */
const credentialsMax = 10;

/** The hashes of the credentials that open nothing any more. */
export function revokedHashes({ delegations, revokedCredentials }: CredentialRecord): string[] {
  const revoked = [...delegations.filter(({ revokedAt }) => revokedAt !== undefined), ...revokedCredentials];
  return revoked.map(({ credentialHash }) => credentialHash);
}

/** The record with one more delegation. Throws CREDENTIALS_EXHAUSTED where there are as many as can be. */
export function withDelegation({ delegations }: CredentialRecord, delegation: Delegation, subject: string): { delegations: Delegation[] } {
  if (delegations.length >= credentialsMax) throw credentialsExhausted(subject, credentialsMax, "delegated");
  return { delegations: [...delegations, delegation] };
}

/**
 * The record after a credential was revoked at a time, in ms, with what was delegated from it. Throws CREDENTIALS_EXHAUSTED where as many are revoked as
 * can be.
 */
export function withRevocation(before: CredentialRecord, credentialHash: string, atMs: number, subject: string): CredentialRecord {
  const revokedAt = timestampFromMs(atMs);
  const delegations = before.delegations.map((one) =>
    one.revokedAt === undefined && (one.credentialHash === credentialHash || one.parentCredentialHash === credentialHash)
      ? { ...one, revokedAt }
      : one,
  );
  const isKnown =
    delegations.some((one) => one.credentialHash === credentialHash) ||
    before.revokedCredentials.some((one) => one.credentialHash === credentialHash);
  if (isKnown) return { delegations, revokedCredentials: before.revokedCredentials };
  if (before.revokedCredentials.length >= credentialsMax) throw credentialsExhausted(subject, credentialsMax, "revoked");
  const revoked: RevokedCredential = create(RevokedCredentialSchema, { credentialHash, revokedAt });
  return { delegations, revokedCredentials: [...before.revokedCredentials, revoked] };
}

/** The error where as many credentials were delegated or revoked as can be. */
export function credentialsExhausted(subject: string, limit: number, what: "delegated" | "revoked"): PetakError {
  return new PetakError("CREDENTIALS_EXHAUSTED", `${limit} credentials of ${subject} were ${what} already, and no more can be`, {
    metadata: { limit: String(limit), subject },
  });
}
