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

/** What is recorded of credentials that were made of others, or that open nothing any more. */
export type CredentialRecord = Pick<Reservation | Bundle, "delegations" | "revokedCredentials">;

const dayMs = 86_400_000;

/** How long a delegate's credential opens where the caller does not say, in ms. */
const delegationDefaultMs = dayMs;

/** How long it opens at most, in ms: an agent that is offline cannot hear that it was revoked, so that it must end soon. */
const delegationMaxMs = 3 * dayMs;

/** How many credentials of one reservation or bundle can be delegated, and how many revoked: its record must stay bounded. */
const credentialsMax = 10;

/** States in which there may be credentials of a reservation to revoke. */
const revocableStates: ReadonlySet<ReservationState> = new Set([
  ReservationState.CONFIRMED,
  ReservationState.DEPOSITED,
  ReservationState.IN_DOUBT,
]);

/** The claims of a credential from which a narrower one is to be made. */
export interface ParentCredential {
  readonly act: Act;
  readonly isDelegated?: boolean | undefined;
  readonly expiresAtMs: number;
}

/** The hashes by which events speak of credentials. An empty one: a PIN. */
export interface CredentialHashes {
  credentialHash: string;
  parentCredentialHash?: string;
}

/** A new delegation. */
export interface DelegationFacts extends Required<CredentialHashes> {
  actor: Party;
  /** Until when it opens, in s since 1970. */
  expiresAtS: number;
}

/** The hashes of the credentials that open nothing any more. */
export function revokedHashes({ delegations, revokedCredentials }: CredentialRecord): string[] {
  const revoked = [...delegations.filter(({ revokedAt }) => revokedAt !== undefined), ...revokedCredentials];
  return revoked.map(({ credentialHash }) => credentialHash);
}

/** Refuses a credential from which no narrower one may be made, with CREDENTIAL_NOT_ACCEPTED. @param hash of the credential */
export function refuseParent(parent: ParentCredential, record: CredentialRecord, hash: string, atMs: number): void {
  if (parent.act !== Act.COLLECT) throw notAccepted("TYPE");
  if (parent.isDelegated) throw notAccepted("DELEGATED");
  // In its last second the narrower one would open for no whole second.
  if (parent.expiresAtMs - 1000 <= atMs) throw notAccepted("EXPIRED");
  if (revokedHashes(record).includes(hash)) throw notAccepted("REVOKED");
}

/**
 * When a delegate's credential opens that is made at a time, in ms: never longer than the one from which it is made.
 *
 * @param expiresAt the end that is wanted
 * @returns two times in s since 1970
 * @throws {PetakError} INVALID_FIELD where it would open for less than a second.
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

/** Records a credential that was made of one for a reservation. Throws CREDENTIALS_EXHAUSTED where there are as many as can be. */
export function delegate(before: Reservation, facts: DelegationFacts, atMs: number): Transition {
  const change = withDelegation(before, facts, before.reservationId, atMs);
  const { actor } = facts;
  return amend(before, change, { type: EventType.CREDENTIAL_DELEGATED, actor, proof: credentialProof(facts) }, atMs);
}

/**
 * Revokes credentials of a reservation: the token with a hash and what was delegated from it, the PIN, or both.
 *
 * @param credentialHash empty: no token
 * @throws {PetakError} ILLEGAL_STATE where there can be none; CREDENTIALS_EXHAUSTED where as many are revoked as can be.
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

/** Whether there may be credentials of a reservation to revoke. */
export function isRevocable({ state }: Reservation): boolean {
  return revocableStates.has(state);
}

/** What an event says of the credential it is about. */
export function credentialProof(hashes: CredentialHashes): Proof {
  return create(ProofSchema, { kind: hashes.credentialHash === "" ? ProofKind.PIN : ProofKind.ACCESS_TOKEN, ...hashes });
}

/** The record with one more delegation. Throws CREDENTIALS_EXHAUSTED where there are as many as can be. @param subject whose record it is */
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
 * The record after a credential was revoked at a time, in ms, with what was delegated from it.
 *
 * @param credentialHash empty: none was, and the record stays
 * @param subject whose record it is
 * @throws {PetakError} CREDENTIALS_EXHAUSTED where as many are revoked as can be.
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

/** The error where as many credentials were delegated or revoked as can be. */
export function credentialsExhausted(subject: string, limit: number, what: "delegated" | "revoked"): PetakError {
  return new PetakError("CREDENTIALS_EXHAUSTED", `${limit} credentials of ${subject} have been ${what}, which is the limit`, {
    metadata: { limit: String(limit), subject },
  });
}

/** The error where no narrower credential can be made of the one that was shown. */
export function notAccepted(refusal: string): PetakError {
  return new PetakError("CREDENTIAL_NOT_ACCEPTED", `the access token cannot be delegated: ${refusal}`, {
    metadata: { refusal, subject: "access_token" },
  });
}
