import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import { type ChainFinding, judgeReceipts, type ReceiptVector } from "@petak/conformance";
import { readReceiptVectors } from "@petak/conformance/published";
import { GetCustodyChainResponseSchema } from "@petak/protocol";
import { describe, expect, it } from "vitest";
import { readIssuerKeySet } from "../keys/issuer-key-set.ts";
import { chainFaults } from "./chain-faults.ts";
import { verifyChain } from "./verify-chain.ts";

const vectors = await readReceiptVectors();

const read = (chain: JsonValue) => fromJson(GetCustodyChainResponseSchema, chain);

async function verifyVector({ issuer_keys, chain, continued }: ReceiptVector): Promise<ChainFinding> {
  const issuerKeys = await readIssuerKeySet(issuer_keys);
  const options = { issuerKeys, ...(continued === undefined ? {} : { continued: read(continued) }) };
  const { faults, statement } = await verifyChain(read(chain), options);
  return { faults, asOfMs: statement?.as_of_ms ?? null };
}

describe("the published vectors of receipts", () => {
  it.each(vectors)("$id: $shows", async (vector) => {
    const { expected, found } = await judgeReceipts(vector, verifyVector);
    expect(found).toEqual(expected);
  });

  it("know every fault", () => {
    const known = new Set(vectors.flatMap(({ expected }) => expected.map(({ code }) => code)));
    expect(Object.keys(chainFaults).filter((code) => !known.has(code))).toEqual([]);
    expect(vectors.length).toBeGreaterThan(50);
  });
});
