import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Terms, TermsSchema } from "@petak/protocol";
import type { Keys, RedisConnection } from "@petak/redis";
import type { TermsNumbers } from "../encoding/short-ids.ts";

/** The terms on which reservations were made. Stored terms never change. */
export interface TermsRecords extends TermsNumbers {
  /**
   * Stores terms under their id. Returns their number: the same for the same terms, and unique. The first terms of a store get 0, which takes no bytes in a
   * reservation.
   */
  keep(terms: Terms): Promise<number>;
  /** The terms with an id, or undefined. */
  find(termsId: string): Promise<Terms | undefined>;
  /** Empties the cache: numbers that a failover has lost may be assigned to other terms. */
  clear(): void;
}

/** Numbers that are cached: about 150 B each. */
const cachedMax = 10_000;

/** Stores terms in Redis. */
export function createTermsRecords(redis: RedisConnection, keys: Keys): TermsRecords {
  const numbers = new Map<string, number>();
  const ids = new Map<number, string>();

  function cache(termsId: string, termsNumber: number): void {
    if (numbers.size >= cachedMax && !numbers.has(termsId)) clear();
    numbers.set(termsId, termsNumber);
    ids.set(termsNumber, termsId);
  }

  function clear(): void {
    numbers.clear();
    ids.clear();
  }

  async function numbered(termsNumber: number): Promise<Terms | undefined> {
    const bytes = await redis.hgetBuffer(keys.terms(), String(termsNumber));
    return bytes === null ? undefined : fromBinary(TermsSchema, bytes);
  }

  async function lookUpNumber(termsId: string): Promise<number> {
    const known = await redis.hget(keys.termsNumbers(), termsId);
    if (known === null) return 0;
    cache(termsId, Number(known));
    return Number(known);
  }

  async function lookUpId(termsNumber: number): Promise<string> {
    const terms = await numbered(termsNumber);
    if (terms === undefined) {
      // Reservations that were made on no terms have number 0: do not ask Redis for each of them.
      if (termsNumber === 0) ids.set(0, "");
      return "";
    }
    cache(terms.termsId, termsNumber);
    return terms.termsId;
  }

  return {
    numberOf: (termsId) => (termsId === "" ? 0 : (numbers.get(termsId) ?? lookUpNumber(termsId))),
    idOf: (termsNumber) => ids.get(termsNumber) ?? lookUpId(termsNumber),
    async keep(terms) {
      const { termsId } = terms;
      const known = numbers.get(termsId) ?? (await redis.hget(keys.termsNumbers(), termsId));
      if (known !== null) {
        cache(termsId, Number(known));
        return Number(known);
      }
      const bytes = Buffer.from(toBinary(TermsSchema, terms));
      // The terms are stored before their number is published. A crash in between, or a concurrent writer of the same terms, leaves a number unused.
      const isFirst = (await redis.hsetnx(keys.terms(), "0", bytes)) === 1;
      const isOwn = isFirst || (await redis.hgetBuffer(keys.terms(), "0"))?.equals(bytes) === true;
      const number = isOwn ? 0 : await redis.incr(keys.termsCounter());
      if (!isOwn) await redis.hset(keys.terms(), String(number), bytes);
      await redis.hsetnx(keys.termsNumbers(), termsId, number);
      const given = Number(await redis.hget(keys.termsNumbers(), termsId));
      cache(termsId, given);
      return given;
    },
    async find(termsId) {
      const known = await redis.hget(keys.termsNumbers(), termsId);
      return known === null ? undefined : await numbered(Number(known));
    },
    clear,
  };
}
