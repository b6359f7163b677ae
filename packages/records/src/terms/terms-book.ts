import { toBinary } from "@bufbuild/protobuf";
import { type FullTerms, termsInForce } from "@petak/lifecycle";
import { type Reservation, type Site, type Terms, TermsSchema, termsIdOf } from "@petak/protocol";
import type { TermsOwner } from "@petak/redis";
import type { TermsStore } from "./terms-store.ts";

/** Which terms are in force where, and which ones a reservation was made on. */
export interface TermsBook {
  /** The terms in force at sites, in the same order: the same object for the same terms. At once where all are known. */
  at(sites: readonly (Site | undefined)[]): (KeptTerms | undefined)[] | Promise<(KeptTerms | undefined)[]>;
  /** The terms in force at one site. */
  atSite(site: Site): Promise<KeptTerms>;
  /** The terms on which a reservation was made. At once where they are known. */
  of(reservation: Pick<Reservation, "termsId">): FullTerms | Promise<FullTerms>;
  /** Sets what an operator's sites have where they do not say, in one of the two networks. */
  setDefault(operator: TermsOwner, terms: Terms): Promise<void>;
  /** Forgets all. */
  clear(): void;
}

/** Terms with their id, and with the number by which records know them. */
export type KeptTerms = FullTerms & { readonly termsNumber: number };

/** What an operator sets at one gateway holds at the others within this time, in ms. The protocol promises it. */
const defaultsMs = 10_000;

/** Operators, and different terms, that are kept in memory: 300 B each. */
const keptMax = 10_000;

interface OperatorDefault {
  untilMs: number;
  terms: Terms | undefined;
}

/** What was in force at a site when it was last asked. */
interface InForce {
  operatorDefault: OperatorDefault;
  terms: KeptTerms;
}

/**
 * Remembers terms.
 *
 * @param fallback The gateway's own terms, for what neither site nor operator says.
 */
export function createTermsBook(store: TermsStore, fallback: FullTerms, now: () => number): TermsBook {
  const defaults = { live: new Map<string, OperatorDefault>(), test: new Map<string, OperatorDefault>() };
  const inForce = new WeakMap<Site, InForce>();
  const byId = new Map<string, FullTerms>();
  const byText = new Map<string, KeptTerms>();
  /** Counts the times that all was forgotten: what is still being read then may be from before. */
  let forgotten = 0;

  const defaultsIn = ({ isTest }: Pick<TermsOwner, "isTest">) => (isTest ? defaults.test : defaults.live);

  /** The one object for terms, with their id. */
  async function keptTerms(terms: FullTerms): Promise<KeptTerms> {
    const text = Buffer.from(toBinary(TermsSchema, terms)).toString("latin1");
    const known = byText.get(text);
    if (known !== undefined) return known;
    const begun = forgotten;
    const termsId = await termsIdOf(terms);
    const termsNumber = await store.keep({ ...terms, termsId });
    // Another call may have come to the same meanwhile.
    const kept = byText.get(text) ?? { ...terms, termsId, termsNumber };
    if (begun === forgotten) {
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
    const [begun, untilMs] = [forgotten, now() + defaultsMs];
    const terms = await store.defaultOf(operator);
    const after = { untilMs, terms };
    if (begun === forgotten) keep(defaultsIn(operator), operator.operatorId, after);
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
    // What a server lost with its last second nobody can show any more.
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
    async setDefault(operator, terms) {
      try {
        await store.setDefault(operator, terms);
      } finally {
        // A write that failed may have been done.
        forgotten += 1;
        defaultsIn(operator).delete(operator.operatorId);
      }
    },
    clear() {
      forgotten += 1;
      store.clear();
      for (const memory of [defaults.live, defaults.test, byId, byText]) memory.clear();
    },
  };
}

function keep<Key, Value>(kept: Map<Key, Value>, key: Key, value: Value): void {
  if (kept.size >= keptMax && !kept.has(key)) {
    const [oldest] = kept.keys();
    if (oldest !== undefined) kept.delete(oldest);
  }
  kept.set(key, value);
}
