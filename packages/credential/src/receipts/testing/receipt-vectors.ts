import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import type { ChainFinding, ReceiptVector } from "@petak/conformance";
import { GetCustodyChainResponseSchema } from "@petak/protocol";
import { readIssuerKeySet } from "../../keys/issuer-key-set.ts";
import { verifyChain } from "../verify-chain.ts";

const read = (chain: JsonValue) => fromJson(GetCustodyChainResponseSchema, chain);

/** Verifies the chain of a vector with this implementation. Runs in browsers too. */
export async function verifyVector({ issuer_keys, chain, continued }: ReceiptVector): Promise<ChainFinding> {
  const issuerKeys = await readIssuerKeySet(issuer_keys);
  const options = { issuerKeys, ...(continued === undefined ? {} : { continued: read(continued) }) };
  const { faults, statement } = await verifyChain(read(chain), options);
  return { faults, asOfMs: statement?.as_of_ms ?? null };
}
