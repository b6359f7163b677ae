import { accessTokenRefusals } from "@petak/credential";
import { describe, expect, it } from "vitest";
import { decide } from "./decide.ts";
import { doorRefusals } from "./refusals.ts";
import { credentialOf, outcomeOf, readVectors, snapshotOf } from "./testing/vectors.ts";

const vectors = await readVectors();

describe("the published test vectors", () => {
  it.each(vectors)("$id: $shows", async (vector) => {
    expect(await outcomeOf(await decide(credentialOf(vector), snapshotOf(vector), vector.now_ms))).toEqual(vector.expected);
  });

  it("have each an id of their own", () => {
    expect(new Set(vectors.map(({ id }) => id)).size).toBe(vectors.length);
  });

  it("are many, and most of them negative", () => {
    const negative = vectors.filter(({ expected }) => expected.decision === "REFUSE");
    expect(vectors.length).toBeGreaterThan(200);
    expect(negative.length).toBeGreaterThan(vectors.length * 0.75);
  });

  it("know every refusal that a credential can meet", () => {
    const known = new Set(vectors.map(({ expected }) => expected.refusal));
    // Of the cabinet alone, which no vector describes.
    const ofCabinet = ["IN_DOUBT", "PROMISED_COMPARTMENT", "LOCK_FAILED"];
    const wanted = Object.keys(doorRefusals).filter((refusal) => !ofCabinet.includes(refusal));
    expect([...wanted].filter((refusal) => !known.has(refusal))).toEqual([]);
    expect(Object.keys(accessTokenRefusals).every((refusal) => known.has(refusal))).toBe(true);
  });
});
