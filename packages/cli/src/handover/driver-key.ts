import { readFile } from "node:fs/promises";
import { type Ed25519PrivateJwk, generateKeyPair } from "@petak/client/node";
import {
  type DriverCertificate,
  decodeBase64url,
  isLowOrderPoint,
  publicKeyOf,
  readDriverCertificate,
  signDriverCertificate,
} from "@petak/credential";
import { CliFailure, usageFailure } from "../failure.ts";
import { unreadableFile } from "../file-failure.ts";
import type { Session } from "../session.ts";
import { writeNew } from "./write-new.ts";

/** A driver's key with its certificate. */
export interface Driver {
  readonly key: Ed25519PrivateJwk;
  readonly publicKey: Uint8Array;
  /** As it is shown. */
  readonly certificateText: string;
  readonly certificate: DriverCertificate;
}

/** Makes a driver's key in a new file, and prints its public half. */
export async function makeDriverKey(session: Session, file: string): Promise<void> {
  const { privateJwk } = await generateKeyPair();
  await writeNew(session, file, `${JSON.stringify(privateJwk)}\n`);
  session.output.json({ publicKey: privateJwk.x, file });
  session.output.print(privateJwk.x);
}

/** Certifies a driver's key with the key of `--key`. */
export async function certifyDriver(
  session: Session,
  driverKey: string,
  { site, hours, out }: { site: string; hours: number; out?: string },
): Promise<void> {
  const found = await session.findKey();
  if (found === undefined) throw usageFailure("No key given: pass --key FILE with a key of the courier, or set PETAK_KEY.");
  const { private_jwk: key, participant_id: courierId, key_id: keyId } = found.keyFile;
  const publicKey = decodeBase64url(driverKey);
  if (publicKey === undefined || isLowOrderPoint(publicKey)) throw usageFailure(`${driverKey} is no public key of a driver.`);
  const notBeforeS = Math.floor(session.io.now() / 1000);
  const notAfterS = notBeforeS + hours * 3600;
  const certificate = await signDriverCertificate(key, { courierId, keyId, driverKey: publicKey, siteId: site, notBeforeS, notAfterS });
  if (typeof readDriverCertificate(certificate) === "string") throw usageFailure(`"${site}" is no id of a site: write site_….`);
  if (out !== undefined) await writeNew(session, out, `${certificate}\n`);
  const until = new Date(notAfterS * 1000).toISOString();
  session.output.json({ certificate, until, ...(out !== undefined && { file: out }) });
  session.output.print(out === undefined ? certificate : `${out} is good until ${until}, at ${site === "" ? "every site" : site}.`);
}

/** Reads a driver's key and its certificate, which must belong together. */
export async function readDriver(session: Session, keyFile: string, certificateFile: string): Promise<Driver> {
  const key = await readKey(session, keyFile);
  const certificateText = (await readText(session, certificateFile)).trim();
  const certificate = readDriverCertificate(certificateText);
  if (typeof certificate === "string") throw usageFailure(`${certificateFile} is no certificate of \`petak courier certify\`.`);
  const publicKey = publicKeyOf(key);
  if (Buffer.compare(certificate.driverKey, publicKey) !== 0) {
    throw usageFailure(`${certificateFile} is the certificate of another key than that in ${keyFile}: certify ${key.x}.`);
  }
  return { key, publicKey, certificateText, certificate };
}

async function readKey(session: Session, file: string): Promise<Ed25519PrivateJwk> {
  const text = await readText(session, file);
  try {
    const key = JSON.parse(text) as Ed25519PrivateJwk;
    publicKeyOf(key);
    return key;
  } catch (error) {
    throw new CliFailure(`${file} is no key of \`petak courier driver-key\`.`, { reason: "driver-key", cause: error });
  }
}

async function readText({ resolve }: Session, file: string): Promise<string> {
  try {
    return await readFile(resolve(file), "utf8");
  } catch (error) {
    throw unreadableFile(file, error);
  }
}
