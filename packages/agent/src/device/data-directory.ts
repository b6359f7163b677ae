import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Ed25519PrivateJwk, type KeyFile, readKeyFile, writePrivateFile } from "@petak/client/node";
import { decodeBase64url, encodeBase64url } from "@petak/credential";

/** What an enrolled device knows of itself. */
export interface Device {
  /** The gateway's address. The device calls no other. */
  readonly url: string;
  readonly siteId: string;
  /** The operator's root key, 32 bytes, pinned when the device enrolled. Undefined: the operator had none. */
  readonly rootKey?: Uint8Array | undefined;
  /** Its key, which never leaves it. */
  readonly key: KeyFile;
  /** Path of its database. */
  readonly storePath: string;
  /** Path of the file in which a simulated cabinet keeps its parcels. */
  readonly cabinetPath: string;
  /** Path of the file of a store's clerks. */
  readonly clerksPath: string;
  readonly certificatePaths: CertificatePaths;
}

/** Paths of a store's certificate, and of the authority that made it. */
export interface CertificatePaths {
  readonly serverCert: string;
  readonly serverKey: string;
  readonly authorityCert: string;
  readonly authorityKey: string;
}

/** An enrolment that has begun: the key was made, and the answer has not come. */
export interface BegunEnrolment {
  readonly enrolment_id: string;
  readonly url: string;
  readonly private_jwk: Ed25519PrivateJwk;
}

/** Version of the file of a device that this release writes and reads. */
const fileVersion = 1;

/** The files of a device in its data directory. */
export function filesIn(dataDir: string) {
  return {
    key: join(dataDir, "agent-key.json"),
    device: join(dataDir, "device.json"),
    enrolling: join(dataDir, "enrolling.json"),
    store: join(dataDir, "agent.db"),
    cabinet: join(dataDir, "cabinet.json"),
    clerks: join(dataDir, "clerks.json"),
    certificate: {
      serverCert: join(dataDir, "counter-cert.pem"),
      serverKey: join(dataDir, "counter-key.pem"),
      authorityCert: join(dataDir, "counter-ca.pem"),
      authorityKey: join(dataDir, "counter-ca-key.pem"),
    },
  };
}

/** Makes a data directory that only its owner can read, unless it exists. */
export async function makeDataDirectory(dataDir: string): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
}

/** Reads what a device is. Undefined: it is not enrolled. Throws an Error that names the file and the problem. */
export async function readDevice(dataDir: string): Promise<Device | undefined> {
  const files = filesIn(dataDir);
  const content = await readJson(files.device);
  if (content === undefined) return undefined;
  const { version, url, site_id: siteId, root_key: root } = content;
  if (version !== fileVersion) throw new Error(`${files.device} has version ${version} and this release reads only version ${fileVersion}`);
  if (typeof url !== "string" || typeof siteId !== "string") throw new Error(`${files.device} must have 'url' and 'site_id'`);
  const rootKey = typeof root === "string" ? decodeBase64url(root) : undefined;
  if (root !== undefined && rootKey?.length !== 32)
    throw new Error(`${files.device} must have a 'root_key' of 32 bytes in base64url, or none`);
  return {
    url,
    siteId,
    rootKey,
    key: await readKeyFile(files.key),
    storePath: files.store,
    cabinetPath: files.cabinet,
    clerksPath: files.clerks,
    certificatePaths: files.certificate,
  };
}

/** Writes what a device is, after its key was written. */
export async function writeDevice(dataDir: string, { url, siteId, rootKey }: Pick<Device, "url" | "siteId" | "rootKey">): Promise<void> {
  await writePrivateFile(filesIn(dataDir).device, {
    version: fileVersion,
    url,
    site_id: siteId,
    ...(rootKey !== undefined && { root_key: encodeBase64url(rootKey) }),
  });
}

/** Reads the enrolment that has begun. Undefined: none has. */
export async function readBegun(dataDir: string): Promise<BegunEnrolment | undefined> {
  return (await readJson(filesIn(dataDir).enrolling)) as BegunEnrolment | undefined;
}

/** Writes the key of an enrolment before it is sent, so that a repetition sends the same key. */
export async function writeBegun(dataDir: string, begun: BegunEnrolment): Promise<void> {
  await writePrivateFile(filesIn(dataDir).enrolling, begun);
}

/** Removes the enrolment that has begun. */
export async function removeBegun(dataDir: string): Promise<void> {
  await rm(filesIn(dataDir).enrolling, { force: true });
}

async function readJson(path: string): Promise<Record<string, unknown> | undefined> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (cause) {
    throw new Error(`${path} is not JSON`, { cause });
  }
}
