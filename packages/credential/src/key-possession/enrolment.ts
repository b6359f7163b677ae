import { unpackBase32 } from "@petak/protocol";
import { sha256 } from "#platform/sha256";
import { framed } from "../bytes/digest.ts";
import { type CompactFault, readCompact } from "../jws/read-compact.ts";
import { signCompact } from "../jws/sign-compact.ts";
import { verifyEd25519 } from "../keys/ed25519.ts";
import type { SigningKey } from "../keys/signing-key.ts";
import { tokenAlgorithm } from "../request-token/request-token.ts";

/** The `typ` of the proof with which a device enrols. */
export const enrolmentProofType = "petak-enrolment+jwt";

/** What is wrong with the proof of an enrolment. */
export type EnrolmentProofFault = CompactFault | "enrolment_id" | "signature";

/** The longest proof, in characters. One has about 200. */
const proofMaxLength = 2048;

/**
 * The id of the enrolment that a code belongs to: `enr_` and the first 80 bits of a hash of the code, so that whoever reads the id learns nothing of the code.
 *
 * @param code its 16 characters, as `readEnrolmentCode` returns them
 */
export async function enrolmentIdOf(code: string): Promise<string> {
  const hash = await sha256(framed("petak enrolment code", code));
  return `enr_${unpackBase32(hash.subarray(0, 10))}`;
}

/**
 * Signs, with the key that a device has made, that it is to be registered by an enrolment: a compact JWS. It has no end: it is good for nothing but this
 * enrolment.
 */
export function signEnrolment(privateKey: SigningKey, enrolmentId: string): Promise<string> {
  return signCompact(privateKey, { typ: enrolmentProofType, alg: tokenAlgorithm }, { enrolment_id: enrolmentId });
}

/** Returns what is wrong with the proof of an enrolment. Undefined if the key in question signed it for this enrolment. Never throws. */
export async function judgeEnrolment(proof: string, publicKey: Uint8Array, enrolmentId: string): Promise<EnrolmentProofFault | undefined> {
  const read = readCompact(proof, enrolmentProofType, proofMaxLength);
  if (typeof read === "string") return read;
  if (read.claims.enrolment_id !== enrolmentId) return "enrolment_id";
  return (await verifyEd25519(publicKey, read.signature, read.signed)) ? undefined : "signature";
}
