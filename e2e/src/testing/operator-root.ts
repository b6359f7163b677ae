import { join } from "node:path";
import { generateKeyPair } from "@petak/client/node";
import { fingerprintOfRoot } from "@petak/credential";
import {
  certifyIssuerKeys,
  type InstalledCertificates,
  type IssuerCertificates,
  installCertificates,
  prepareIssuerKeys,
  revokeIssuerKey,
} from "@petak/gateway";

/** An operator's root key, and what it signs for the gateways of one data directory. */
export interface OperatorRoot {
  readonly rootKey: Uint8Array;
  readonly fingerprint: string;
  /** Certifies the issuer keys and some made in advance. @param days from now */
  certify(days: number): Promise<void>;
  /** Revokes an issuer key. */
  revoke(keyId: string): Promise<InstalledCertificates>;
}

/** Makes a root key. @param dataDir the gateways' data directory */
export async function makeRoot(dataDir: string, now: () => number): Promise<OperatorRoot> {
  const { privateJwk, publicKey: rootKey } = await generateKeyPair();
  const secretsPath = join(dataDir, "gateway-secrets.json");
  let before: IssuerCertificates | undefined;
  const install = async (signed: IssuerCertificates) => {
    before = signed;
    return await installCertificates(secretsPath, signed, { nowMs: now() });
  };
  return {
    rootKey,
    fingerprint: await fingerprintOfRoot(rootKey),
    async certify(days) {
      const keys = await prepareIssuerKeys(secretsPath, 3);
      await install(await certifyIssuerKeys(privateJwk, keys, { before, days, nowMs: now() }));
    },
    async revoke(keyId) {
      if (before === undefined) throw new Error("nothing is certified yet");
      return await install(await revokeIssuerKey(privateJwk, keyId, { before, nowMs: now() }));
    },
  };
}
