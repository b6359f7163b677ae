import { Act, type Reason } from "@petak/protocol";

/** An access token in the model. Times in ms. */
export interface ModelCredential {
  readonly act: Act;
  readonly expiresMs: number;
  /** Of which it was made, where it is a delegate's. */
  readonly parent?: ModelCredential;
}

/** What a reservation or a bundle knows of its credentials. */
export interface ModelRecord {
  readonly issued: ModelCredential[];
  readonly delegated: ModelCredential[];
  /** Those of both that open nothing any more. */
  readonly ended: Set<ModelCredential>;
  /** Those that stand in its list of what was revoked, which delegates' do not. */
  readonly revoked: ModelCredential[];
}

/** So many credentials can be delegated, and so many revoked, of one reservation or bundle. */
const credentialsMax = 10;

const dayMs = 86_400_000;

/** A record without credentials. */
export function newRecord(): ModelRecord {
  return { issued: [], delegated: [], ended: new Set(), revoked: [] };
}

/** Makes a narrower credential of one. Gives why it was refused. */
export function delegateOf(record: ModelRecord, parent: ModelCredential, nowMs: number): Reason | undefined {
  const isGood = parent.act === Act.COLLECT && parent.parent === undefined && parent.expiresMs - 1000 > nowMs && !record.ended.has(parent);
  if (!isGood) return "CREDENTIAL_NOT_ACCEPTED";
  if (record.delegated.length >= credentialsMax) return "CREDENTIALS_EXHAUSTED";
  record.delegated.push({ act: Act.COLLECT, expiresMs: Math.min(nowMs + dayMs, parent.expiresMs), parent });
  return undefined;
}

/** Ends a credential and what was made of it. Gives why it was refused. */
export function revokeOf(record: ModelRecord, credential: ModelCredential): Reason | undefined {
  const isListed = record.delegated.includes(credential) || record.revoked.includes(credential);
  if (!isListed && record.revoked.length >= credentialsMax) return "CREDENTIALS_EXHAUSTED";
  if (!isListed) record.revoked.push(credential);
  for (const one of [credential, ...record.delegated.filter(({ parent }) => parent === credential)]) record.ended.add(one);
  return undefined;
}
