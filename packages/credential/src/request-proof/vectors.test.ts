import { judgeProof, type PossessionVector, type ProofVector } from "@petak/conformance";
import { readPossessionVectors, readProofVectors } from "@petak/conformance/published";
import { describe, expect, it } from "vitest";
import { decodeBase64url } from "../bytes/base64url.ts";
import { judgeKeyPossession } from "../key-possession/key-possession.ts";
import { judgeRequestProof, requestProofFaults } from "./judge-request-proof.ts";

const bytes = (text: string) => decodeBase64url(text) ?? new Uint8Array();
const proofVectors = await readProofVectors();
const possessionVectors = await readPossessionVectors();

async function judgeCall(vector: ProofVector): Promise<{ fault: string | null }> {
  const judgement = await judgeRequestProof({
    proof: vector.proof,
    path: vector.path,
    requestToken: vector.request_token,
    keyId: vector.key_id,
    publicKey: bytes(vector.public_key),
    requestId: vector.request_id ?? undefined,
    message: bytes(vector.message),
    nowMs: [vector.now_ms],
  });
  if (judgement.fault !== undefined) return { fault: judgement.fault };
  return { fault: vector.used.includes(judgement.proofId) ? "replayed" : null };
}

async function judgePossession(vector: PossessionVector): Promise<{ fault: string | null }> {
  const { participant_id: participantId, mode, site_id: siteId, request_id: requestId } = vector;
  const registration = { participantId, mode, siteId, requestId };
  return { fault: (await judgeKeyPossession(vector.possession_proof, bytes(vector.public_key), vector.audience, registration)) ?? null };
}

describe("the published vectors of proofs", () => {
  it.each(proofVectors)("$id: $shows", async (vector) => {
    const { expected, found } = await judgeProof(vector, judgeCall);
    expect(found).toEqual(expected);
  });

  it.each(possessionVectors)("$id: $shows", async (vector) => {
    const { expected, found } = await judgeProof(vector, judgePossession);
    expect(found).toEqual(expected);
  });

  it("contain every fault", () => {
    const known = new Set(proofVectors.map(({ expected }) => expected.fault));
    expect(requestProofFaults.filter((fault) => !known.has(fault))).toEqual([]);
  });
});
