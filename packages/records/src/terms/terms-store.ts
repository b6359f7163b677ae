import { fromBinary, toBinary } from "@bufbuild/protobuf";
import type { FullTerms } from "@petak/lifecycle";
import { type Terms, TermsSchema } from "@petak/protocol";
import type { Keys, RedisConnection, TermsOwner } from "@petak/redis";
import type { TermsRecords } from "./terms-records.ts";

/** Terms by their ids, and what operators have by default. */
export interface TermsStore {
  /** Keeps terms, which have their id. Gives the number by which reservations' records know them. */
  keep(terms: FullTerms): Promise<number>;
  /** The terms with an id. Undefined where nobody has kept any so. */
  find(termsId: string): Promise<FullTerms | undefined>;
  /** What an operator has by default, in one of the two networks. */
  defaultOf(operator: TermsOwner): Promise<Terms | undefined>;
  setDefault(operator: TermsOwner, terms: Terms): Promise<void>;
  /** Forgets what is in memory. */
  clear(): void;
}

/** Keeps operators' defaults in Redis, beside the terms of the records. */
export function createTermsStore(redis: RedisConnection, records: TermsRecords, keys: Keys): TermsStore {
  return {
    keep: records.keep,
    find: async (termsId) => (await records.find(termsId)) as FullTerms | undefined,
    async defaultOf(operator) {
      const bytes = await redis.getBuffer(keys.defaultTerms(operator));
      return bytes === null ? undefined : fromBinary(TermsSchema, bytes);
    },
    async setDefault(operator, terms) {
      await redis.set(keys.defaultTerms(operator), Buffer.from(toBinary(TermsSchema, terms)));
    },
    clear: records.clear,
  };
}
