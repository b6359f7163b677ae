import { create } from "@bufbuild/protobuf";
import { type Timestamp, timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import {
  Act,
  type Bundle,
  type Delegation,
  DelegationSchema,
  EventType,
  invalidField,
  type Party,
  PetakError,
  type Proof,
  ProofKind,
  ProofSchema,
  type Reservation,
  ReservationState,
  type RevokedCredential,
  RevokedCredentialSchema,
} from "@petak/protocol";
import { amend, type Transition } from "./transition.ts";
import { illegalState } from "./transitions.ts";

/** The recorded delegations and revocations of a reservation or bundle. */
export type CredentialRecord = Pick<Reservation | Bundle, "delegations" | "revokedCredentials">;

const dayMs = 86_400_000;

/** Default validity of a delegated credential, in ms. */
const delegationDefaultMs = dayMs;

/** Longest validity of a delegated credential, in ms. Short, because an offline agent does not learn of a revocation. */
const delegationMaxMs = 3 * dayMs;

/** Limit for the delegations, and for the revocations, of one reservation or bundle, so that its record stays bounded. */
const credentialsMax = 10;

/** States in which a reservation may have valid credentials. */
const revocableStates: ReadonlySet<ReservationState> = new Set([
  ReservationState.CONFIRMED,
  ReservationState.DEPOSITED,
  ReservationState.IN_DOUBT,
]);

/** Claims of a credential that is to be delegated. */
export interface ParentCredential {
  readonly act: Act;
  readonly isDelegated?: boolean | undefined;
  readonly expiresAtMs: number;
}

/** Hashes that identify credentials in events. Empty: a PIN. */
export interface CredentialHashes {
  credentialHash: string;
  parentCredentialHash?: string;
}

/** A new delegation. */
export interface DelegationFacts extends Required<CredentialHashes> {
  actor: Party;
  /** End of its validity, in s since 1970. */
  expiresAtS: number;
}

/** The hashes of the revoked credentials. */
export function revokedHashes({ delegations, revokedCredentials }: CredentialRecord): string[] {
  const revoked = [...delegations.filter(({ revokedAt }) => revokedAt !== undefined), ...revokedCredentials];
  return revoked.map(({ credentialHash }) => credentialHash);
}

/** Throws CREDENTIAL_NOT_ACCEPTED if a credential cannot be delegated. @param hash of the credential */
export function refuseParent(parent: ParentCredential, record: CredentialRecord, hash: string, atMs: number): void {
  if (parent.act !== Act.COLLECT) throw notAccepted("TYPE");
  if (parent.isDelegated) throw notAccepted("DELEGATED");
  // In its last second the delegated one would be valid for less than a second.
  if (parent.expiresAtMs - 1000 <= atMs) throw notAccepted("EXPIRED");
  if (revokedHashes(record).includes(hash)) throw notAccepted("REVOKED");
}

/**
 * The validity of a delegated credential: never longer than its parent's.
 *
 * @param expiresAt the requested end
 * @returns two times in s since 1970
 * @throws {PetakError} INVALID_FIELD if it would be valid for less than a second.
 */
export function delegationValidity(
  { expiresAtMs }: ParentCredential,
  expiresAt: Timestamp | undefined,
  atMs: number,
): { notBeforeS: number; expiresAtS: number } {
  const wantedMs = expiresAt === undefined ? atMs + delegationDefaultMs : timestampMs(expiresAt);
  const notBeforeS = Math.floor(atMs / 1000);
  const expiresAtS = Math.floor(Math.min(wantedMs, atMs + delegationMaxMs, expiresAtMs) / 1000);
  if (expiresAtS <= notBeforeS) {
    throw invalidField("expires_at", "must be at least one second later than now", "delegate_credential.expires_at");
  }
  return { notBeforeS, expiresAtS };
}

/** Records a credential that was delegated from a reservation's credential. Throws CREDENTIALS_EXHAUSTED at the limit. */
export function delegate(before: Reservation, facts: DelegationFacts, atMs: number): Transition {
  const change = withDelegation(before, facts, before.reservationId, atMs);
  const { actor } = facts;
  return amend(before, change, { type: EventType.CREDENTIAL_DELEGATED, actor, proof: credentialProof(facts) }, atMs);
}

/**
 * Revokes credentials of a reservation: the token with a hash and what was delegated from it, the PIN, or both.
 *
 * @param credentialHash empty: no token
 * @throws {PetakError} ILLEGAL_STATE if the reservation can have no valid credential; CREDENTIALS_EXHAUSTED at the limit.
 */
export function revoke(
  before: Reservation,
  { actor, credentialHash, endsPin }: { actor: Party; credentialHash: string; endsPin: boolean },
  atMs: number,
): Transition {
  if (!isRevocable(before)) {
    throw illegalState(before, ReservationState.COLLECTED, ": it has no valid credential to revoke");
  }
  const change = withRevocation(before, credentialHash, before.reservationId, atMs);
  const facts = { type: EventType.CREDENTIAL_REVOKED, actor, proof: credentialProof({ credentialHash }) };
  return { ...amend(before, change, facts, atMs), ...(endsPin ? { pin: null } : {}) };
}

/** Whether a reservation may have valid credentials. */
export function isRevocable({ state }: Reservation): boolean {
  return revocableStates.has(state);
}

/** The proof of an event about a credential. */
export function credentialProof(hashes: CredentialHashes): Proof {
  return create(ProofSchema, { kind: hashes.credentialHash === "" ? ProofKind.PIN : ProofKind.ACCESS_TOKEN, ...hashes });
}

/** Adds a delegation to a record. Throws CREDENTIALS_EXHAUSTED at the limit. @param subject id of the reservation or bundle */
export function withDelegation(
  { delegations }: CredentialRecord,
  { credentialHash, parentCredentialHash, expiresAtS }: Omit<DelegationFacts, "actor">,
  subject: string,
  atMs: number,
): { delegations: Delegation[] } {
  if (delegations.length >= credentialsMax) throw credentialsExhausted(subject, credentialsMax, "delegated");
  const delegation = create(DelegationSchema, {
    credentialHash,
    parentCredentialHash,
    delegatedAt: timestampFromMs(atMs),
    expiresAt: timestampFromMs(expiresAtS * 1000),
  });
  return { delegations: [...delegations, delegation] };
}

/**
 * Adds the revocation of a credential, and of everything delegated from it, to a record.
 *
 * @param credentialHash empty: no credential, and the record stays unchanged
 * @param subject id of the reservation or bundle
 * @throws {PetakError} CREDENTIALS_EXHAUSTED at the limit.
 */
export function withRevocation(before: CredentialRecord, credentialHash: string, subject: string, atMs: number): Partial<CredentialRecord> {
  if (credentialHash === "") return {};
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

/** The error at the limit of delegations or revocations. */
export function credentialsExhausted(subject: string, limit: number, what: "delegated" | "revoked"): PetakError {
  return new PetakError("CREDENTIALS_EXHAUSTED", `${limit} credentials of ${subject} have been ${what}, which is the limit`, {
    metadata: { limit: String(limit), subject },
  });
}

/** The error for a credential that cannot be delegated. */
export function notAccepted(refusal: string): PetakError {
  return new PetakError("CREDENTIAL_NOT_ACCEPTED", `the access token cannot be delegated: ${refusal}`, {
    metadata: { refusal, subject: "access_token" },
  });
}
