import type { Pace } from "./rate.ts";
import { RecentMap } from "./recent-map.ts";
import type { SharedUse } from "./shared-use.ts";

/** What one caller uses of what callers share: a participant, the pages with its publishable keys, or an address whose caller is not known yet. */
export interface Account {
  readonly name: string;
  /** Unary calls in progress, those that wait for others of the same caller included. */
  unary: number;
  /** Its unary calls in progress at other gateways of the store, as they last told. */
  elsewhere: number;
  /** Open streams. */
  stream: number;
  /** Unary calls being handled. */
  running: number;
  /** Unary calls whose handling began in this turn of the event loop. */
  begun: number;
  /** Calls that wait until they may be handled, in order. Called to begin one. */
  readonly waiting: Set<() => void>;
  /** When it may be told its next refusal. */
  readonly refusals: Pace;
  /** When its next request without credentials, e.g. for a page, may be answered. */
  readonly openRequests: Pace;
}

/** The accounts of callers, by name. What is shared with other gateways are their unary calls in progress. */
export interface Accounts extends SharedUse {
  /** Returns an account, which is new if the caller has none. */
  of(name: string): Account;
  /** The accounts in memory. */
  all(): Iterable<Account>;
  readonly size: number;
}

/**
 * Creates accounts. At most about `max` are kept, and of those without calls the one that had none for longest is forgotten first: a forgotten caller may be
 * told a second's worth of refusals again. Only if calls are in progress for all of them there are more, as many as calls.
 */
export function createAccounts(max = 10_000): Accounts {
  const accounts = new RecentMap<Account>(max, ({ unary, stream }) => unary > 0 || stream > 0);
  let elsewhere: ReadonlyMap<string, number> = new Map();

  return {
    of(name) {
      const known = accounts.find(name);
      if (known !== undefined) return known;
      const account = {
        name,
        unary: 0,
        elsewhere: elsewhere.get(name) ?? 0,
        stream: 0,
        running: 0,
        begun: 0,
        waiting: new Set<() => void>(),
        refusals: { dueMs: 0 },
        openRequests: { dueMs: 0 },
      };
      accounts.put(name, account);
      return account;
    },
    all: () => accounts.values(),
    *here() {
      for (const { name, unary } of accounts.values()) if (unary > 0) yield [name, unary];
    },
    usedBy: (name) => (accounts.find(name)?.unary ?? 0) + (elsewhere.get(name) ?? 0),
    setElsewhere(unary) {
      if (unary.size === 0 && elsewhere.size === 0) return;
      elsewhere = unary;
      for (const account of accounts.values()) account.elsewhere = unary.get(account.name) ?? 0;
    },
    get size() {
      return accounts.size;
    },
  };
}
