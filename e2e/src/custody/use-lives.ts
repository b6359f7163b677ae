import { clone } from "@bufbuild/protobuf";
import { type ChainFault, type ChainVerdict, type IssuerKeyPeriod, verifyChain } from "@petak/credential";
import { type GetCustodyChainResponse, GetCustodyChainResponseSchema } from "@petak/protocol";
import { createRandom, type Random, testSeed } from "@petak/testkit";
import { beforeAll, beforeEach } from "vitest";
import { type LifeKeys, makeLifeKeys, randomChain } from "./random-life.ts";

/** Chains of random lives for the tests of a file. Usable only within a test. */
export interface Lives {
  /** The keys of all signers. */
  readonly keys: LifeKeys;
  /** Starts from the seed in each test. */
  readonly random: Random;
  /** The chain of a whole life with at least `linksMin` links. Default: any number of links and any ending. */
  wholeChain(wanted?: { ending?: number | undefined; linksMin?: number }): Promise<GetCustodyChainResponse>;
  /** The verdict on a chain. Default of the issuer's keys: those that signed. */
  verdictOf(chain: GetCustodyChainResponse, issuerKeys?: readonly IssuerKeyPeriod[]): Promise<ChainVerdict>;
  faultsOf(chain: GetCustodyChainResponse): Promise<readonly ChainFault[]>;
}

/** Provides such chains to the tests of a file. Call it at the top of the file. */
export function useLives(): Lives {
  let keys: LifeKeys;
  let random: Random;
  beforeAll(async () => {
    keys = await makeLifeKeys();
  });
  beforeEach(() => {
    random = createRandom(testSeed());
  });

  const verdictOf = (chain: GetCustodyChainResponse, issuerKeys: readonly IssuerKeyPeriod[] = keys.periods) =>
    verifyChain(chain, { issuerKeys });
  return {
    get keys() {
      return keys;
    },
    get random() {
      return random;
    },
    async wholeChain({ ending, linksMin = 0 } = {}) {
      for (;;) {
        const chain = await randomChain(random, keys, { mayEndEarly: false, ending });
        if (chain.receipts.length >= linksMin) return chain;
      }
    },
    verdictOf,
    faultsOf: async (chain) => (await verdictOf(chain)).faults,
  };
}

/** A changed copy of a chain. */
export function changed(chain: GetCustodyChainResponse, change: (copy: GetCustodyChainResponse) => void): GetCustodyChainResponse {
  const copy = clone(GetCustodyChainResponseSchema, chain);
  change(copy);
  return copy;
}
