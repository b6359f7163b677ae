import { encodeBase64url, generateIssuerKey, type IssuerKeyPair, type IssuerKeyPeriod } from "@petak/credential";
import {
  certificatesPath,
  certificatesText,
  certifiedSpare,
  type IssuerCertificates,
  isCertified,
  isRevoked,
  readIssuerCertificates,
  type SignedStatement,
} from "./issuer-certificates.ts";
import { epochInForce, type IssuerEpoch, type IssuerEpochs, issuerKeyPeriods } from "./issuer-epochs.ts";
import { changeSecrets, SecretsFileError } from "./rotate-issuer.ts";
import { replaceFile, type StoredSecrets } from "./secrets-file.ts";

/** Keys that can be made in advance: more than a year has epochs. */
export const spareKeysMax = 32;

/**
 * Makes keys of epochs to come in a secrets file, until it has a number of them, and returns the public keys that the operator's root should certify: those of the
 * epochs first.
 *
 * @param isFresh replaces the keys that were made in advance: who has read the file has them
 * @throws {SecretsFileError} if the file cannot be used
 */
export async function prepareIssuerKeys(path: string, count: number, { isFresh = false } = {}): Promise<Uint8Array[]> {
  let wanted: Uint8Array[] = [];
  await changeSecrets(path, async (stored) => {
    const spareKeys = isFresh ? [] : [...stored.spareKeys];
    const takenKeyIds = new Set([...stored.spareKeys, ...allPeriods(stored)].map(({ keyId }) => keyId));
    while (spareKeys.length < count) {
      const key = await generateIssuerKey({ takenKeyIds });
      takenKeyIds.add(key.keyId);
      spareKeys.push(key);
    }
    wanted = [...stored.epochs.map(({ key }) => key), ...spareKeys].map(({ publicKey }) => publicKey);
    return { ...stored, spareKeys };
  });
  return wanted;
}

/** What {@link installCertificates} did. */
export interface InstalledCertificates {
  readonly epochs: IssuerEpochs;
  /** The ids of the revoked keys that signed until now, or were announced. */
  readonly endedKeyIds: readonly string[];
}

/**
 * Puts certificates beside a secrets file, where gateways find them, and ends the epochs of keys that they revoke: the next certified key signs at once, also in place
 * of the old one for what is asked for again. What is there already stays in force. A crash leaves the old state, or the revocation without the next key, which the
 * same call completes.
 *
 * @param isNewRoot accepts another root than the one of the certificates that are there; agents that pinned the earlier one believe no key any more
 * @throws {SecretsFileError} if a file cannot be used, or no certified key would sign; nothing is changed then
 */
export async function installCertificates(
  path: string,
  given: IssuerCertificates,
  { nowMs, isNewRoot = false }: { nowMs: number; isNewRoot?: boolean },
): Promise<InstalledCertificates> {
  const filePath = certificatesPath(path);
  let installed: InstalledCertificates | undefined;
  await changeSecrets(path, async (stored) => {
    const current = await readIssuerCertificates(filePath).catch((cause: Error) => {
      throw new SecretsFileError(cause.message, { cause });
    });
    if (current !== undefined && current.root !== given.root && !isNewRoot) {
      throw new SecretsFileError(
        `the certificates are by the root ${given.root}, and ${filePath} has those of the root ${current.root}, which the devices know`,
      );
    }
    const all = current?.root === given.root ? joined(current, given, nowMs) : given;
    const changed = withoutRevoked(stored, all, nowMs);
    requireCertified(epochInForce(changed.epochs, nowMs).key, all, nowMs);
    await replaceFile(filePath, certificatesText(all), path);
    const endedKeyIds = stored.epochs.flatMap(({ key: { keyId, publicKey } }) => (isRevoked(all, publicKey) ? keyId : []));
    installed = { epochs: changed.epochs, endedKeyIds };
    return changed;
  });
  if (installed === undefined) throw new Error("the secrets were not changed");
  return installed;
}

/** Secrets without revoked keys. The next key takes the place of one that was in force, from its beginning. */
function withoutRevoked(stored: StoredSecrets, certificates: IssuerCertificates, nowMs: number): StoredSecrets {
  const isGood = ({ key }: IssuerEpoch) => !isRevoked(certificates, key.publicKey);
  const spareKeys = stored.spareKeys.filter(({ publicKey }) => !isRevoked(certificates, publicKey));
  if (stored.epochs.every(isGood)) return { ...stored, spareKeys };
  const inForce = epochInForce(stored.epochs, nowMs);
  const periods = issuerKeyPeriods(stored.epochs);
  const ended = stored.epochs.flatMap((epoch, index): IssuerKeyPeriod[] => {
    const period = periods[index];
    if (isGood(epoch) || period === undefined || epoch.signsFromMs > nowMs) return [];
    return [{ ...period, signsUntilMs: Math.min(period.signsUntilMs ?? nowMs, nowMs) }];
  });
  const pastKeys = [...stored.pastKeys, ...ended];
  // Without an end: no key follows it yet.
  const sole = ({ notAfterMs: _end, ...epoch }: IssuerEpoch): IssuerEpoch => ({ ...epoch, announcedAtMs: nowMs });
  if (isGood(inForce)) return { ...stored, epochs: [sole(inForce)], pastKeys, spareKeys };
  const previous = stored.epochs.find((epoch) => isGood(epoch) && epoch.signsFromMs < inForce.signsFromMs);
  const announced = stored.epochs.find((epoch) => isGood(epoch) && epoch.signsFromMs > nowMs);
  const key = announced?.key ?? certifiedSpare(spareKeys, certificates, nowMs);
  if (key === undefined) {
    throw new SecretsFileError(
      `no other certified key is left to sign in place of ${inForce.key.keyId}: make and certify some first (petak issuer request, petak issuer certify), and install both together`,
    );
  }
  const next = { key, announcedAtMs: nowMs, signsFromMs: inForce.signsFromMs };
  return {
    ...stored,
    epochs: previous === undefined ? [next] : [previous, next],
    pastKeys,
    spareKeys: spareKeys.filter((spare) => spare !== key),
  };
}

function requireCertified({ keyId, publicKey }: IssuerKeyPair, certificates: IssuerCertificates, nowMs: number): void {
  if (isCertified(publicKey, certificates, nowMs)) return;
  throw new SecretsFileError(
    `the certificates have none in force for the key ${keyId}, which signs now: agents would believe it no more. Certify what \`petak issuer request\` writes on this machine`,
  );
}

/** Two files of one root as one, without certificates that have expired. */
function joined(current: IssuerCertificates, given: IssuerCertificates, nowMs: number): IssuerCertificates {
  const once = (statements: readonly SignedStatement[]) => [...new Map(statements.map((one) => [one.text, one])).values()];
  const all = { ...given, revocations: once([...current.revocations, ...given.revocations]) };
  const isUseful = ({ publicKey, notAfterS }: SignedStatement) => nowMs < notAfterS * 1000 && !isRevoked(all, publicKey);
  const certificates = once([...current.certificates, ...given.certificates]).filter(isUseful);
  const longest = new Map<string, SignedStatement>();
  for (const one of certificates) {
    const name = encodeBase64url(one.publicKey);
    if (one.notAfterS > (longest.get(name)?.notAfterS ?? 0)) longest.set(name, one);
  }
  return { ...all, certificates: [...longest.values()] };
}

function allPeriods({ pastKeys, epochs }: StoredSecrets): { keyId: string }[] {
  return [...pastKeys, ...epochs.map(({ key }) => key)];
}
