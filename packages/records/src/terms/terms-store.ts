import { fromBinary, toBinary } from "@bufbuild/protobuf";
import type { FullTerms } from "@petak/lifecycle";
import { type Terms, TermsSchema } from "@petak/protocol";
import type { Keys, RedisConnection, TermsOwner } from "@petak/redis";
import type { TermsRecords } from "./terms-records.ts";

/** Terms by their ids, and the operators' default terms. */
export interface TermsStore {
  /** Stores terms under their id. Returns their number, which stored reservations contain. */
  keep(terms: FullTerms): Promise<number>;
  /** The terms with an id, or undefined. */
  find(termsId: string): Promise<FullTerms | undefined>;
  /** An operator's default terms in one network, or undefined. */
  defaultOf(operator: TermsOwner): Promise<Terms | undefined>;
  setDefault(operator: TermsOwner, terms: Terms): Promise<void>;
  /** Empties the cache. */
  clear(): void;
}

/** Stores operators' default terms in Redis. */
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
