import {
  type Ed25519PrivateJwk,
  encodeBase64url,
  fingerprintOfRoot,
  issuerKeyId,
  newSerial,
  publicKeyOf,
  signKeyStatement,
  statementMaxLifetimeS,
} from "@petak/credential";
import { certificateOf, type IssuerCertificates, isRevoked, readStatement, type SignedStatement } from "./issuer-certificates.ts";

/** The longest time for which the operator's root certifies a key, in days. */
export const certifiedDaysMax = statementMaxLifetimeS / 86_400;

/** What the root was asked for cannot be signed. The message is a clause that says why. */
export class RootRefusedError extends Error {
  override readonly name = "RootRefusedError";
}

/** Nothing signed yet, by a root key. */
export async function noCertificates(root: Ed25519PrivateJwk): Promise<IssuerCertificates> {
  const rootKey = publicKeyOf(root);
  return { rootKey, root: await fingerprintOfRoot(rootKey), certificates: [], revocations: [] };
}

/**
 * Certifies issuer keys from now on. What was signed before stays, but for certificates that have expired.
 *
 * @param days 1 to {@link certifiedDaysMax}
 * @throws {RootRefusedError} if the root has revoked one of the keys, or `before` is another root's
 */
export async function certifyIssuerKeys(
  root: Ed25519PrivateJwk,
  publicKeys: readonly Uint8Array[],
  { before, days, nowMs }: { before?: IssuerCertificates | undefined; days: number; nowMs: number },
): Promise<IssuerCertificates> {
  const kept = await continued(root, before, nowMs);
  const made: SignedStatement[] = [];
  for (const publicKey of publicKeys) {
    const keyId = await issuerKeyId(publicKey);
    if (isRevoked(kept, publicKey)) throw new RootRefusedError(`the key ${keyId} is revoked, and a revoked key is never certified again`);
    made.push(await sign(root, "certificate", publicKey, nowMs, days * 86_400));
  }
  const isReplaced = ({ publicKey }: SignedStatement) => publicKeys.some((other) => Buffer.compare(publicKey, other) === 0);
  return { ...kept, certificates: [...kept.certificates.filter((one) => !isReplaced(one)), ...made] };
}

/**
 * Revokes an issuer key. The revocation lasts as long as any certificate of the key can.
 *
 * @throws {RootRefusedError} if the root has certified no such key, or has revoked it already
 */
export async function revokeIssuerKey(
  root: Ed25519PrivateJwk,
  keyId: string,
  { before, nowMs }: { before: IssuerCertificates; nowMs: number },
): Promise<IssuerCertificates> {
  const kept = await continued(root, before, nowMs, true);
  const known = kept.certificates.find((statement) => statement.keyId === keyId);
  if (kept.revocations.some((statement) => statement.keyId === keyId)) throw new RootRefusedError(`the key ${keyId} is revoked already`);
  if (known === undefined) {
    const ids = [...new Set(kept.certificates.map((statement) => statement.keyId))];
    throw new RootRefusedError(`there is no certificate of a key ${keyId}: the certified keys are ${ids.join(", ") || "none"}`);
  }
  const { publicKey } = certificateOf(kept, known.publicKey) ?? known;
  const revocation = await sign(root, "revocation", publicKey, nowMs, statementMaxLifetimeS);
  return {
    ...kept,
    certificates: kept.certificates.filter((statement) => encodeBase64url(statement.publicKey) !== encodeBase64url(publicKey)),
    revocations: [...kept.revocations, revocation],
  };
}

/** What was signed before, without what has expired. */
async function continued(
  root: Ed25519PrivateJwk,
  before: IssuerCertificates | undefined,
  nowMs: number,
  keepsExpired = false,
): Promise<IssuerCertificates> {
  const none = await noCertificates(root);
  if (before === undefined) return none;
  if (before.root !== none.root)
    throw new RootRefusedError(`the certificates are by the root ${before.root}, and this root is ${none.root}`);
  const isAlive = ({ notAfterS }: SignedStatement) => keepsExpired || nowMs < notAfterS * 1000;
  return { ...before, certificates: before.certificates.filter(isAlive), revocations: before.revocations.filter(isAlive) };
}

async function sign(
  root: Ed25519PrivateJwk,
  type: "certificate" | "revocation",
  publicKey: Uint8Array,
  nowMs: number,
  lifetimeS: number,
): Promise<SignedStatement> {
  const notBeforeS = Math.floor(nowMs / 1000);
  const said = { publicKey, keyId: await issuerKeyId(publicKey), notBeforeS, notAfterS: notBeforeS + lifetimeS, serial: newSerial() };
  const text = await signKeyStatement(root, type, { kind: "issuer", ...said });
  const read = await readStatement(text, type, publicKeyOf(root));
  if (typeof read === "string") throw new Error(`a ${type} was signed that is not good (${read})`);
  return read;
}
