import { judgeReceipts } from "@petak/conformance";
import { readReceiptVectors } from "@petak/conformance/published";
import { describe, expect, it } from "vitest";
import { chainFaults } from "./chain-faults.ts";
import { verifyVector } from "./testing/receipt-vectors.ts";

const vectors = await readReceiptVectors();

describe("the published vectors of receipts", () => {
  it.each(vectors)("$id: $shows", async (vector) => {
    const { expected, found } = await judgeReceipts(vector, verifyVector);
    expect(found).toEqual(expected);
  });

  it("contain every fault", () => {
    const known = new Set(vectors.flatMap(({ expected }) => expected.map(({ code }) => code)));
    expect(Object.keys(chainFaults).filter((code) => !known.has(code))).toEqual([]);
    expect(vectors.length).toBeGreaterThan(50);
  });
});
