import { readFile } from "node:fs/promises";
import { type Ed25519PrivateJwk, publicKeyOf } from "@petak/credential";
import type { ModeName } from "@petak/protocol";
import { createRequestSigner, modeOfKeyId, type RequestSigner } from "../request-signer.ts";
import { writePrivateFile } from "./private-file.ts";

/** Version of the key files that this release writes, and the newest that it reads. A file without a version has version 1. */
const fileVersion = 1;

/** Content of a key file besides its `version`, with the file's member names. */
export interface KeyFile {
  /** The participant that the key belongs to. */
  participant_id: string;
  /** The registered key's id. */
  key_id: string;
  /** The network of the key. */
  mode: ModeName;
  /** The audience of the gateway where it is registered. */
  audience: string;
  /** The private key. */
  private_jwk: Ed25519PrivateJwk;
}

/** Reads a key file. Throws an Error that names the file and the problem. */
export async function readKeyFile(path: string): Promise<KeyFile> {
  const text = await readFile(path, "utf8");
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (cause) {
    throw new Error(`${path} is not a key file: it is not JSON`, { cause });
  }
  return checkKeyFile(path, content);
}

/** Writes or replaces a key file, as {@link writePrivateFile} does. */
export async function writeKeyFile(path: string, keyFile: KeyFile): Promise<void> {
  const content = checkKeyFile(path, keyFile);
  await writePrivateFile(path, { version: fileVersion, ...content });
}

/** The signer of a key file's key. */
export function signerOfKeyFile(keyFile: KeyFile, options: { now?: () => number } = {}): RequestSigner {
  return createRequestSigner({
    participantId: keyFile.participant_id,
    keyId: keyFile.key_id,
    privateJwk: keyFile.private_jwk,
    audience: keyFile.audience,
    ...options,
  });
}

function checkKeyFile(path: string, content: unknown): KeyFile {
  if (typeof content !== "object" || content === null) throw new Error(`${path} is not a key file: it does not contain an object`);
  const { version = 1, participant_id, key_id, mode, audience, private_jwk } = content as Record<keyof KeyFile | "version", unknown>;
  if (typeof version !== "number") throw new Error(`${path} is not a key file: 'version' must be a number`);
  if (version > fileVersion) {
    throw new Error(
      `${path} has version ${version} and this release reads only version ${fileVersion}: use a later release that reads version ${version}, or register another key`,
    );
  }
  for (const [name, value] of Object.entries({ participant_id, key_id, audience })) {
    if (typeof value !== "string" || value === "") throw new Error(`${path} is not a key file: '${name}' must be a non-empty string`);
  }
  if (mode !== "live" && mode !== "test") throw new Error(`${path} is not a key file: 'mode' must be "live" or "test"`);
  if (modeOfKeyId(key_id as string) !== mode) throw new Error(`${path} is not a key file: 'key_id' is not of mode '${mode}'`);
  if (typeof private_jwk !== "object" || private_jwk === null) throw new Error(`${path} is not a key file: 'private_jwk' must be a JWK`);
  const { kty, crv, x, d } = private_jwk as Ed25519PrivateJwk;
  const checked: KeyFile = {
    participant_id: participant_id as string,
    key_id: key_id as string,
    mode,
    audience: audience as string,
    private_jwk: { kty, crv, x: String(x), d: String(d) },
  };
  try {
    publicKeyOf(checked.private_jwk);
  } catch (cause) {
    throw new Error(`${path} is not a key file: 'private_jwk' must be a private Ed25519 key`, { cause });
  }
  return checked;
}
