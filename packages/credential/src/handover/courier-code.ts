import { decodeBase64url, encodeBase64url } from "../bytes/base64url.ts";
import type { Bytes } from "../bytes/bytes.ts";
import { signEd25519 } from "../keys/ed25519.ts";
import type { SigningKey } from "../keys/signing-key.ts";
import { type HandoverStatement, handoverText, isHash } from "./statement.ts";

/** With what a courier's code begins, so that a scanner knows it. */
export const courierCodePrefix = "petak-handover";

const encoder = new TextEncoder();

/** The code that a courier's driver shows in answer. */
export interface CourierCode {
  readonly listHash: string;
  /** The driver's signature: 64 bytes. */
  readonly signature: Bytes;
  /** The driver's certificate: see {@link judgeDriverCertificate}. */
  readonly certificate: string;
}

/** Signs a list for the courier. @param driver.publicKey the key in `driver.certificate`, 32 bytes */
export async function courierCode(
  statement: HandoverStatement,
  { key, publicKey, certificate }: { key: SigningKey; publicKey: Uint8Array; certificate: string },
): Promise<string> {
  const signature = await signEd25519(key, encoder.encode(handoverText("courier", publicKey, statement)));
  return [courierCodePrefix, statement.listHash, encodeBase64url(signature), certificate].join("~");
}

/** Reads a courier's code without verifying it. Undefined if it is none. */
export function readCourierCode(code: string): CourierCode | undefined {
  const [prefix, listHash = "", signature64 = "", certificate, ...rest] = code.split("~");
  const signature = decodeBase64url(signature64);
  if (prefix !== courierCodePrefix || !isHash(listHash) || signature?.length !== 64 || certificate === undefined) return undefined;
  return rest.length > 0 ? undefined : { listHash, signature, certificate };
}
