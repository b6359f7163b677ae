import type { Account } from "./accounts.ts";

/** Lets the calls of each caller be handled a few at a time. */
export interface Turns {
  /** Begins a call and counts it, if its caller's running calls and those that began in this turn of the event loop are few enough. */
  mayStart(account: Account): boolean;
  /** Ends a call that was begun, and begins one that waits. */
  end(account: Account): void;
}

/**
 * Creates turns of at most `max` calls of a caller. Calls that are answered at once never run beside one another: without a bound for each turn of
 * the event loop, all that one caller has sent would be handled before the next step of anybody else's call.
 */
export function createTurns(max: number): Turns {
  let begunInTurn: Account[] = [];

  function begin(account: Account): void {
    account.running += 1;
    account.begun += 1;
    if (account.begun > 1) return;
    if (begunInTurn.push(account) === 1) setImmediate(nextTurn);
  }

  function isFree({ running, begun }: Account): boolean {
    return running < max && begun < max;
  }

  function beginWaiting(account: Account): void {
    while (isFree(account)) {
      const [next] = account.waiting;
      if (next === undefined) return;
      account.waiting.delete(next);
      begin(account);
      next();
    }
  }

  function nextTurn(): void {
    const accounts = begunInTurn;
    begunInTurn = [];
    for (const account of accounts) account.begun = 0;
    for (const account of accounts) beginWaiting(account);
  }

  return {
    mayStart(account) {
      if (!isFree(account)) return false;
      begin(account);
      return true;
    },
    end(account) {
      account.running -= 1;
      beginWaiting(account);
    },
  };
}
