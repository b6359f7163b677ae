import { judgeCredential } from "@petak/conformance";
import { readCredentialVectors } from "@petak/conformance/published";
import { accessTokenRefusals } from "@petak/credential";
import { describe, expect, it } from "vitest";
import { doorRefusals } from "./refusals.ts";
import { decideVector } from "./testing/vectors.ts";

const vectors = await readCredentialVectors();

describe("the published test vectors", () => {
  it.each(vectors)("$id: $shows", async (vector) => {
    const { expected, found } = await judgeCredential(vector, decideVector);
    expect(found).toEqual(expected);
  });

  it("are many, most of them negative", () => {
    const negative = vectors.filter(({ expected }) => expected.decision === "REFUSE");
    expect(vectors.length).toBeGreaterThan(200);
    expect(negative.length).toBeGreaterThan(vectors.length * 0.75);
  });

  it("cover every refusal of a credential", () => {
    const known = new Set(vectors.map(({ expected }) => (expected.decision === "REFUSE" ? expected.refusal : undefined)));
    // Of the cabinet or the counter alone, which no vector describes.
    const ofCabinet = ["IN_DOUBT", "PROMISED_COMPARTMENT", "LOCK_FAILED", "STORAGE_FAILED", "WRONG_PARCEL"];
    const wanted = Object.keys(doorRefusals).filter((refusal) => !ofCabinet.includes(refusal));
    expect([...wanted].filter((refusal) => !known.has(refusal))).toEqual([]);
    expect(Object.keys(accessTokenRefusals).every((refusal) => known.has(refusal))).toBe(true);
  });
});
