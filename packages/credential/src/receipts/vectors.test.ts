import { readdirSync, readFileSync } from "node:fs";
import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import { GetCustodyChainResponseSchema } from "@petak/protocol";
import { describe, expect, it } from "vitest";
import { readIssuerKeySet } from "../keys/issuer-key-set.ts";
import { chainFaults } from "./chain-faults.ts";
import { verifyChain } from "./verify-chain.ts";

/** A vector, as docs/custody.md describes it. */
interface ChainVector {
  id: string;
  shows: string;
  issuer_keys: unknown;
  chain: JsonValue;
  continued?: JsonValue;
  expected: { code: string; link: number | null }[];
  as_of_ms: number | null;
}

const folder = new URL("../../../../docs/vectors/receipts/", import.meta.url);
const vectors = readdirSync(folder)
  .sort()
  .flatMap((name) => (JSON.parse(readFileSync(new URL(name, folder), "utf8")) as { vectors: ChainVector[] }).vectors);

const read = (chain: JsonValue) => fromJson(GetCustodyChainResponseSchema, chain);

/** Faults as the vectors have them: each once, in any order. */
function inShort(faults: readonly { code: string; link?: number | null }[]): string[] {
  return [...new Set(faults.map(({ code, link }) => `${code} ${link ?? "-"}`))].sort();
}

describe("the published vectors of receipts", () => {
  it.each(vectors)("$id: $shows", async ({ issuer_keys, chain, continued, expected, as_of_ms }) => {
    const issuerKeys = await readIssuerKeySet(issuer_keys);
    const options = { issuerKeys, ...(continued === undefined ? {} : { continued: read(continued) }) };
    const { faults, statement } = await verifyChain(read(chain), options);
    expect(inShort(faults)).toEqual(inShort(expected));
    expect(statement?.as_of_ms ?? null).toBe(as_of_ms);
  });

  it("have each an id of their own, and know every fault", () => {
    expect(new Set(vectors.map(({ id }) => id)).size).toBe(vectors.length);
    const known = new Set(vectors.flatMap(({ expected }) => expected.map(({ code }) => code)));
    expect(Object.keys(chainFaults).filter((code) => !known.has(code))).toEqual([]);
    expect(vectors.length).toBeGreaterThan(50);
  });
});
