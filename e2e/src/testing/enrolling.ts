import { randomUUID } from "node:crypto";
import { generateKeyPair, type PetakClient } from "@petak/client/node";
import { type Ed25519PrivateJwk, enrolmentIdOf, signEnrolment } from "@petak/credential";
import { readEnrolmentCode } from "@petak/protocol";

/** The proof that belongs to a code, by a device's key. */
export async function enrolmentProof(privateJwk: Ed25519PrivateJwk, code: string): Promise<string> {
  return await signEnrolment(privateJwk, await enrolmentIdOf(readEnrolmentCode(code) ?? ""));
}

/** A request of a new device, with a key of its own. */
export async function newDevice(code: string) {
  const { privateJwk, publicKey } = await generateKeyPair();
  return { privateJwk, request: { code, publicKey, possessionProof: await enrolmentProof(privateJwk, code) } };
}

/** Makes a code for a site of an operator. */
export async function newCode({ client }: { client: Pick<PetakClient, "participants"> }, siteId: string) {
  const { code, enrolment } = await client.participants.createEnrolmentCode({ requestId: randomUUID(), siteId, label: "door" });
  return { code, enrolmentId: enrolment?.enrolmentId ?? "", enrolment };
}
