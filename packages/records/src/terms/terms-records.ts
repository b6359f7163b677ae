import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Terms, TermsSchema } from "@petak/protocol";
import type { Keys, RedisConnection } from "@petak/redis";

/** The number of terms in a store's records, and their id everywhere else. */
export interface TermsNumbers {
  /** The number of the terms with an id; at once where it is known. 0 where the store has no terms with it, as for "". */
  numberOf(termsId: string): number | Promise<number>;
  /** The id of the terms with a number; at once where it is known. "" where the store has none any more. */
  idOf(termsNumber: number): string | Promise<string>;
}

/** Terms on which reservations were made. What was kept never changes. */
export interface TermsRecords extends TermsNumbers {
  /**
   * Keeps terms under their id. Gives their number: the same for the same terms, and for no others. The first that a store ever keeps get 0, which takes
   * nothing of a reservation's record.
   */
  keep(terms: Terms): Promise<number>;
  /** The terms with an id, or undefined. */
  find(termsId: string): Promise<Terms | undefined>;
  /** Forgets what is in memory: what a failover has lost may be given out again for something else. */
  clear(): void;
}

/** Numbers that are kept in memory: some 150 B each. */
const keptMax = 10_000;

/** Keeps terms in Redis. */
export function createTermsRecords(redis: RedisConnection, keys: Keys): TermsRecords {
  const numbers = new Map<string, number>();
  const ids = new Map<number, string>();

  function remember(termsId: string, termsNumber: number): void {
    if (numbers.size >= keptMax && !numbers.has(termsId)) clear();
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
    remember(termsId, Number(known));
    return Number(known);
  }

  async function lookUpId(termsNumber: number): Promise<string> {
    const terms = await numbered(termsNumber);
    if (terms === undefined) {
      // Reservations that were made on no terms at all: nobody is asked about them again and again.
      if (termsNumber === 0) ids.set(0, "");
      return "";
    }
    remember(terms.termsId, termsNumber);
    return terms.termsId;
  }

  return {
    numberOf: (termsId) => (termsId === "" ? 0 : (numbers.get(termsId) ?? lookUpNumber(termsId))),
    idOf: (termsNumber) => ids.get(termsNumber) ?? lookUpId(termsNumber),
    async keep(terms) {
      const { termsId } = terms;
      const known = numbers.get(termsId) ?? (await redis.hget(keys.termsNumbers(), termsId));
      if (known !== null) {
        remember(termsId, Number(known));
        return Number(known);
      }
      const bytes = Buffer.from(toBinary(TermsSchema, terms));
      // What a number says is there before anybody learns of it. A crash in between, or another writer of the same, leaves a number unused.
      const isFirst = (await redis.hsetnx(keys.terms(), "0", bytes)) === 1;
      const isOwn = isFirst || (await redis.hgetBuffer(keys.terms(), "0"))?.equals(bytes) === true;
      const number = isOwn ? 0 : await redis.incr(keys.termsCounter());
      if (!isOwn) await redis.hset(keys.terms(), String(number), bytes);
      await redis.hsetnx(keys.termsNumbers(), termsId, number);
      const given = Number(await redis.hget(keys.termsNumbers(), termsId));
      remember(termsId, given);
      return given;
    },
    async find(termsId) {
      const known = await redis.hget(keys.termsNumbers(), termsId);
      return known === null ? undefined : await numbered(Number(known));
    },
    clear,
  };
}
