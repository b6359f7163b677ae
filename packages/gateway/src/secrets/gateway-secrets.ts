import { createHmac, randomBytes } from "node:crypto";
import { link, mkdir, open, readFile, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { type Ed25519PrivateJwk, generateIssuerKey, type IssuerKeyPair, issuerKeyFrom } from "@petak/credential";

/** What a gateway keeps to itself, and shares with the gateways that stand beside it. */
export interface GatewaySecrets {
  /** Signs access tokens. */
  readonly issuerKey: IssuerKeyPair;
  /** PINs and token ids are derived from it: 32 bytes. */
  readonly derivationKey: Uint8Array;
  /** The key under which a site's PINs are hashed: 32 bytes, another for each site. */
  pinKey(siteId: string): Promise<Uint8Array>;
}

interface SecretsFile {
  issuer_private_jwk: Ed25519PrivateJwk;
  derivation_key: string;
}

/**
 * Reads a gateway's secrets, and makes them where there are none yet. The file is for the gateway's user only. Of two gateways that start
 * at once on one folder, one makes the secrets and both use them.
 *
 * @throws {Error} where the file is there and is not what this function wrote.
 */
export async function loadGatewaySecrets(path: string): Promise<GatewaySecrets> {
  const text = (await readIfThere(path)) ?? (await makeFile(path));
  let file: SecretsFile;
  try {
    file = JSON.parse(text) as SecretsFile;
  } catch (cause) {
    throw new Error(`${path} is not the secrets file of a gateway`, { cause });
  }
  const derivationKey = Buffer.from(file.derivation_key ?? "", "base64url");
  if (derivationKey.length !== 32 || file.issuer_private_jwk === undefined) {
    throw new Error(`${path} is not the secrets file of a gateway`);
  }
  return {
    issuerKey: await issuerKeyFrom(file.issuer_private_jwk),
    derivationKey,
    pinKey: async (siteId) => createHmac("sha256", derivationKey).update(`petak pin key\0${siteId}`).digest(),
  };
}

async function makeFile(path: string): Promise<string> {
  const { privateJwk } = await generateIssuerKey();
  const file: SecretsFile = { issuer_private_jwk: privateJwk, derivation_key: randomBytes(32).toString("base64url") };
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}.${randomBytes(4).toString("hex")}`;
  const handle = await open(draft, "wx", 0o600);
  try {
    await handle.writeFile(`${JSON.stringify(file, null, 2)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  try {
    // A link fails where the file exists already, a rename would replace it.
    await link(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    await unlink(draft);
  }
  return await readFile(path, "utf8");
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
