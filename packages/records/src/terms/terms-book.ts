import { toBinary } from "@bufbuild/protobuf";
import { type FullTerms, termsInForce } from "@petak/lifecycle";
import { type Reservation, type Site, type Terms, TermsSchema, termsIdOf } from "@petak/protocol";
import type { TermsOwner } from "@petak/redis";
import type { TermsStore } from "./terms-store.ts";

/** The terms in force at sites, and those on which reservations were made. */
export interface TermsBook {
  /** The terms in force at sites, in the same order. Equal terms are the same object. Synchronous if all are in memory. */
  at(sites: readonly (Site | undefined)[]): (KeptTerms | undefined)[] | Promise<(KeptTerms | undefined)[]>;
  /** The terms in force at one site. */
  atSite(site: Site): Promise<KeptTerms>;
  /** The terms on which a reservation was made. Synchronous if they are in memory. */
  of(reservation: Pick<Reservation, "termsId">): FullTerms | Promise<FullTerms>;
  /** Sets an operator's default terms in one network, QUOTA_EXHAUSTED if it has stated too many: they apply to fields that a site's own terms leave out. Returns whether they were others before. */
  setDefault(operator: TermsOwner, terms: Terms): Promise<boolean>;
  /** Counts terms that an operator states for its sites: all or none. @throws {PetakError} QUOTA_EXHAUSTED. */
  claim(operator: TermsOwner, terms: readonly Terms[]): Promise<void>;
  /** Throws what {@link claim} would throw, without counting anything. */
  checkClaim(operator: TermsOwner, terms: readonly Terms[]): Promise<void>;
  /** Empties the cache. */
  clear(): void;
}

/** Terms with their id and their number, which stored reservations contain. */
export type KeptTerms = FullTerms & { readonly termsNumber: number };

/** How soon default terms that are set at one gateway are in force at the others, in ms. The protocol promises it. */
const defaultsMs = 10_000;

/** Operators, and different terms, that are cached: 300 B each. */
const cachedMax = 10_000;

interface OperatorDefault {
  untilMs: number;
  terms: Terms | undefined;
}

/** The terms in force at a site, and the default terms that they are based on. */
interface InForce {
  operatorDefault: OperatorDefault;
  terms: KeptTerms;
}

/**
 * Creates a cache of terms over the store.
 *
 * @param fallback the gateway's own terms, for fields that neither site nor operator sets
 * @param now the gateway's time, in ms since 1970
 */
export function createTermsBook(store: TermsStore, fallback: FullTerms, now: () => number): TermsBook {
  const defaults = { live: new Map<string, OperatorDefault>(), test: new Map<string, OperatorDefault>() };
  const inForce = new WeakMap<Site, InForce>();
  const byId = new Map<string, FullTerms>();
  const byText = new Map<string, KeptTerms>();
  /** Counts the times that the cache was emptied: a read that began before must not fill it. */
  let clearings = 0;

  const defaultsIn = ({ isTest }: Pick<TermsOwner, "isTest">) => (isTest ? defaults.test : defaults.live);

  /** The one object for equal terms, with their id. */
  async function keptTerms(terms: FullTerms): Promise<KeptTerms> {
    const text = Buffer.from(toBinary(TermsSchema, terms)).toString("latin1");
    const known = byText.get(text);
    if (known !== undefined) return known;
    const begun = clearings;
    const termsId = await termsIdOf(terms);
    const termsNumber = await store.keep({ ...terms, termsId });
    // A concurrent call may have cached the same terms.
    const kept = byText.get(text) ?? { ...terms, termsId, termsNumber };
    if (begun === clearings) {
      keep(byId, termsId, kept);
      keep(byText, text, kept);
    }
    return kept;
  }

  function known(site: Site): KeptTerms | undefined {
    const operatorDefault = defaultsIn(site).get(site.operatorId);
    if (operatorDefault === undefined || operatorDefault.untilMs <= now()) return undefined;
    const last = inForce.get(site);
    return last?.operatorDefault === operatorDefault ? last.terms : undefined;
  }

  async function defaultOf(operator: TermsOwner): Promise<OperatorDefault> {
    const before = defaultsIn(operator).get(operator.operatorId);
    if (before !== undefined && before.untilMs > now()) return before;
    const [begun, untilMs] = [clearings, now() + defaultsMs];
    const terms = await store.defaultOf(operator);
    const after = { untilMs, terms };
    if (begun === clearings) keep(defaultsIn(operator), operator.operatorId, after);
    return after;
  }

  async function look(site: Site): Promise<KeptTerms> {
    const operatorDefault = await defaultOf(site);
    const given = [site.terms, operatorDefault.terms].filter((terms) => terms !== undefined);
    const terms = await keptTerms(given.length === 0 ? fallback : termsInForce(fallback, ...given));
    inForce.set(site, { operatorDefault, terms });
    return terms;
  }

  async function lookUp(termsId: string): Promise<FullTerms> {
    const terms = await store.find(termsId);
    // A crashed server may have lost terms of its last second. The fallback applies then.
    if (terms === undefined) return await keptTerms(fallback);
    keep(byId, termsId, terms);
    return terms;
  }

  return {
    at(sites) {
      const found: (KeptTerms | undefined)[] = [];
      for (const site of sites) {
        const terms = site && known(site);
        if (site !== undefined && terms === undefined)
          return Promise.all(sites.map(async (each) => each && (known(each) ?? (await look(each)))));
        found.push(terms);
      }
      return found;
    },
    atSite: async (site) => known(site) ?? (await look(site)),
    of: ({ termsId }) => byId.get(termsId) ?? lookUp(termsId),
    claim: store.claim,
    checkClaim: store.checkClaim,
    async setDefault(operator, terms) {
      await store.claim(operator, [terms]);
      try {
        return await store.setDefault(operator, terms);
      } finally {
        // A write whose reply was an error may have been executed.
        clearings += 1;
        defaultsIn(operator).delete(operator.operatorId);
      }
    },
    clear() {
      clearings += 1;
      store.clear();
      for (const memory of [defaults.live, defaults.test, byId, byText]) memory.clear();
    },
  };
}

function keep<Key, Value>(kept: Map<Key, Value>, key: Key, value: Value): void {
  if (kept.size >= cachedMax && !kept.has(key)) {
    const [oldest] = kept.keys();
    if (oldest !== undefined) kept.delete(oldest);
  }
  kept.set(key, value);
}
