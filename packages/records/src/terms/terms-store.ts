import { hash } from "node:crypto";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import type { FullTerms } from "@petak/lifecycle";
import { type Terms, TermsSchema } from "@petak/protocol";
import type { Keys, RedisConnection, TermsOwner } from "@petak/redis";
import { createScript } from "../lua/create-script.ts";
import { defaultQuotas, type Quotas, quotaExhausted } from "../quotas/quotas.ts";
import type { TermsRecords } from "./terms-records.ts";

/** Terms by their ids, and the operators' default terms. */
export interface TermsStore {
  /** Stores terms under their id. Returns their number, which stored reservations contain. */
  keep(terms: FullTerms): Promise<number>;
  /** The terms with an id, or undefined. */
  find(termsId: string): Promise<FullTerms | undefined>;
  /** An operator's default terms in one network, or undefined. */
  defaultOf(operator: TermsOwner): Promise<Terms | undefined>;
  /** Sets them. Returns whether they were others before. */
  setDefault(operator: TermsOwner, terms: Terms): Promise<boolean>;
  /** Counts terms among those that an operator has stated in one network, before they are written: all or none. @throws {PetakError} QUOTA_EXHAUSTED. */
  claim(operator: TermsOwner, terms: readonly Terms[]): Promise<void>;
  /** Throws what {@link claim} would throw, without counting anything. */
  checkClaim(operator: TermsOwner, terms: readonly Terms[]): Promise<void>;
  /** How many terms an operator has stated in one network. */
  claimed(operator: TermsOwner): Promise<number>;
  /** Empties the cache. */
  clear(): void;
}

/** Characters of a hash that stand for terms: 96 bits. */
const nameLength = 16;

const claimScript = createScript("claim-member");

/** Stores operators' default terms in Redis. */
export function createTermsStore(
  redis: RedisConnection,
  records: TermsRecords,
  keys: Keys,
  { termsMax: limit }: Pick<Quotas, "termsMax"> = defaultQuotas,
): TermsStore {
  const namesOf = (terms: readonly Terms[]) => [
    ...new Set(terms.map((one) => hash("sha256", toBinary(TermsSchema, one), "base64url").slice(0, nameLength))),
  ];
  const full = ({ operatorId }: TermsOwner, used: number) => quotaExhausted({ quota: "termsMax", limit, used, subject: operatorId });
  return {
    keep: records.keep,
    find: async (termsId) => (await records.find(termsId)) as FullTerms | undefined,
    async defaultOf(operator) {
      const bytes = await redis.getBuffer(keys.defaultTerms(operator));
      return bytes === null ? undefined : fromBinary(TermsSchema, bytes);
    },
    async setDefault(operator, terms) {
      const bytes = Buffer.from(toBinary(TermsSchema, terms));
      return (await redis.setBuffer(keys.defaultTerms(operator), bytes, "GET"))?.equals(bytes) !== true;
    },
    async claim(operator, terms) {
      const [tag, used] = await claimScript(redis, [keys.operatorTerms(operator)], [limit, ...namesOf(terms)]);
      if (tag === "full") throw full(operator, Number(used));
    },
    async checkClaim(operator, terms) {
      if (terms.length === 0) return;
      const stated = keys.operatorTerms(operator);
      const [used, counted] = await Promise.all([redis.scard(stated), redis.smismember(stated, ...namesOf(terms))]);
      const adding = counted.filter((isCounted) => isCounted === 0).length;
      if (adding > 0 && used + adding > limit) throw full(operator, used);
    },
    claimed: (operator) => redis.scard(keys.operatorTerms(operator)),
    clear: records.clear,
  };
}
