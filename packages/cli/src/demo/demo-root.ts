import { join } from "node:path";
import { generateKeyPair, writePrivateFile } from "@petak/client/node";
import {
  certificatesFileName,
  certifyIssuerKeys,
  installCertificates,
  loadGatewaySecrets,
  prepareIssuerKeys,
  secretsFileName,
} from "@petak/gateway";
import { isThere } from "../is-there.ts";

/** Issuer keys that are made in advance. */
const spareKeys = 6;

/**
 * Gives the demonstration a root key, unless its gateway has certificates: so devices that enrol there pin it, as they should anywhere. Its private half lies
 * beside the other keys of the demonstration; that of an operator stays offline.
 */
export async function ensureDemoRoot(dataDir: string, nowMs: number): Promise<void> {
  if (await isThere(join(dataDir, certificatesFileName))) return;
  const secretsPath = join(dataDir, secretsFileName);
  await loadGatewaySecrets(secretsPath);
  const { privateJwk } = await generateKeyPair();
  await writePrivateFile(join(dataDir, "keys", "root.json"), privateJwk);
  const publicKeys = await prepareIssuerKeys(secretsPath, spareKeys);
  await installCertificates(secretsPath, await certifyIssuerKeys(privateJwk, publicKeys, { days: 365, nowMs }), { nowMs });
}
