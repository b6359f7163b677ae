import { Act, type Reason } from "@petak/protocol";

/** An access token in the model. Times in ms. */
export interface ModelCredential {
  readonly act: Act;
  readonly expiresMs: number;
  /** The credential from which it was delegated, if any. */
  readonly parent?: ModelCredential;
}

/** The credentials of a reservation or a bundle. */
export interface ModelRecord {
  readonly issued: ModelCredential[];
  readonly delegated: ModelCredential[];
  /** Credentials, issued or delegated, that no longer open anything. */
  readonly ended: Set<ModelCredential>;
  /** The revoked credentials in its list, to which delegated ones are not added. */
  readonly revoked: ModelCredential[];
}

/** The largest number of delegated and of revoked credentials of one reservation or bundle. */
const credentialsMax = 10;

const dayMs = 86_400_000;

/** A record without credentials. */
export function newRecord(): ModelRecord {
  return { issued: [], delegated: [], ended: new Set(), revoked: [] };
}

/** Delegates a narrower credential. Returns the reason of a refusal. */
export function delegateOf(record: ModelRecord, parent: ModelCredential, nowMs: number): Reason | undefined {
  const isGood = parent.act === Act.COLLECT && parent.parent === undefined && parent.expiresMs - 1000 > nowMs && !record.ended.has(parent);
  if (!isGood) return "CREDENTIAL_NOT_ACCEPTED";
  if (record.delegated.length >= credentialsMax) return "CREDENTIALS_EXHAUSTED";
  record.delegated.push({ act: Act.COLLECT, expiresMs: Math.min(nowMs + dayMs, parent.expiresMs), parent });
  return undefined;
}

/** How long a credential can be revoked after its end, in ms: clocks at sites may be late. */
const revocableAfterEndMs = 3_600_000;

/** Ends a credential and those delegated from it. Returns the reason of a refusal. */
export function revokeOf(record: ModelRecord, credential: ModelCredential, nowMs: number): Reason | undefined {
  const isListed = record.delegated.includes(credential) || record.revoked.includes(credential);
  const mayOpen = record.issued.includes(credential) && nowMs < credential.expiresMs + revocableAfterEndMs;
  if (!isListed && !mayOpen) return "CREDENTIAL_NOT_FOUND";
  if (!isListed && record.revoked.length >= credentialsMax) return "CREDENTIALS_EXHAUSTED";
  if (!isListed) record.revoked.push(credential);
  for (const one of [credential, ...record.delegated.filter(({ parent }) => parent === credential)]) record.ended.add(one);
  return undefined;
}
