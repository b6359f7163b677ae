import { fromBinary, toBinary } from "@bufbuild/protobuf";
import type { FullTerms } from "@petak/lifecycle";
import { type Terms, TermsSchema } from "@petak/protocol";
import type { Keys, RedisConnection, TermsOwner } from "@petak/redis";

/** Terms by their numbers, and what operators have by default. */
export interface TermsStore {
  /** The number of terms: the same for the same terms, and for no others. The first that are ever numbered get 0. */
  number(terms: FullTerms): Promise<number>;
  /** The terms of a number, with it. Undefined where nobody has numbered any so. */
  numbered(termsNumber: number): Promise<FullTerms | undefined>;
  /** What an operator has by default, in one of the two networks. */
  defaultOf(operator: TermsOwner): Promise<Terms | undefined>;
  setDefault(operator: TermsOwner, terms: Terms): Promise<void>;
}

/**
 * Keeps terms in Redis. A reservation keeps a number in place of its terms: a byte or two, and none for number 0, which the gateway's own terms have
 * where nobody sets others.
 */
export function createTermsStore(redis: RedisConnection, keys: Keys): TermsStore {
  const withNumber = (bytes: Uint8Array, termsNumber: number) => ({ ...fromBinary(TermsSchema, bytes), termsNumber }) as FullTerms;

  return {
    async number(terms) {
      const bytes = Buffer.from(toBinary(TermsSchema, { ...terms, termsNumber: 0 }));
      const known = await redis.hget(keys.termsNumbers(), bytes);
      if (known !== null) return Number(known);
      // What a number says is there before anybody learns of it. A crash in between, or another writer of the same, leaves a number unused.
      const isFirst = (await redis.hsetnx(keys.terms(), "0", bytes)) === 1;
      const isOwn = isFirst || (await redis.hgetBuffer(keys.terms(), "0"))?.equals(bytes) === true;
      const number = isOwn ? 0 : await redis.incr(keys.termsCounter());
      if (!isOwn) await redis.hset(keys.terms(), String(number), bytes);
      await redis.hsetnx(keys.termsNumbers(), bytes, number);
      return Number(await redis.hget(keys.termsNumbers(), bytes));
    },
    async numbered(termsNumber) {
      const bytes = await redis.hgetBuffer(keys.terms(), String(termsNumber));
      return bytes === null ? undefined : withNumber(bytes, termsNumber);
    },
    async defaultOf(operator) {
      const bytes = await redis.getBuffer(keys.defaultTerms(operator));
      return bytes === null ? undefined : fromBinary(TermsSchema, bytes);
    },
    async setDefault(operator, terms) {
      await redis.set(keys.defaultTerms(operator), Buffer.from(toBinary(TermsSchema, terms)));
    },
  };
}
