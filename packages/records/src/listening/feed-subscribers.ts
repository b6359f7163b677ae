import type { FeedName } from "@petak/redis";

/** A subscription to the growth of one feed. */
export interface FeedSubscription {
  /**
   * Resolves to true as soon as the feed has a number greater than `number`, and to false after `timeoutMs`, when a signal aborts or when the subscription is
   * closed. Only one wait at a time.
   */
  wait(number: number, timeoutMs: number, signals: readonly AbortSignal[]): Promise<boolean>;
  /** Ends the subscription. Idempotent. */
  close(): void;
}

/** The subscriptions to feeds, by the feeds' channels. */
export interface FeedSubscribers {
  add(channel: string, feed: FeedName): FeedSubscription;
  /** Sets the last number of a feed and wakes the waiting subscribers. The number may be less than before if a failover lost the end of the feed. */
  setLast(channel: string, number: number): void;
  /** Reports a number that was appended to a feed. Ignored if a greater one is known: reports may arrive out of order. */
  reportAppended(channel: string, number: number): void;
  /** The feeds that have a subscription, by their channels. */
  readonly feeds: ReadonlyMap<string, FeedName>;
}

interface Followed {
  /** The last known number. */
  newest: number;
  wakes: Set<() => void>;
  users: number;
}

/** Creates an empty set of subscriptions. */
export function createFeedSubscribers(): FeedSubscribers {
  const followed = new Map<string, Followed>();
  const feeds = new Map<string, FeedName>();

  function setLast(channel: string, number: number): void {
    const own = followed.get(channel);
    if (own === undefined) return;
    own.newest = number;
    for (const wake of [...own.wakes]) wake();
  }

  return {
    feeds,
    add(channel, feed) {
      const own = followed.get(channel) ?? { newest: 0, wakes: new Set(), users: 0 };
      followed.set(channel, own);
      feeds.set(channel, feed);
      own.users++;
      let isClosed = false;
      let stopWaiting: ((hasNews: boolean) => void) | undefined;
      return {
        wait(number, timeoutMs, signals) {
          if (isClosed || signals.some(({ aborted }) => aborted)) return Promise.resolve(false);
          if (own.newest > number) return Promise.resolve(true);
          return new Promise((resolve) => {
            const wake = () => {
              if (own.newest > number) stop(true);
            };
            const onAbort = () => stop(false);
            const stop = (hasNews: boolean) => {
              stopWaiting = undefined;
              clearTimeout(timer);
              own.wakes.delete(wake);
              for (const signal of signals) signal.removeEventListener("abort", onAbort);
              resolve(hasNews);
            };
            const timer = setTimeout(stop, timeoutMs, false);
            stopWaiting = stop;
            own.wakes.add(wake);
            for (const signal of signals) signal.addEventListener("abort", onAbort);
          });
        },
        close() {
          if (isClosed) return;
          isClosed = true;
          stopWaiting?.(false);
          if (--own.users > 0) return;
          followed.delete(channel);
          feeds.delete(channel);
        },
      };
    },
    setLast,
    reportAppended(channel, number) {
      if (number > (followed.get(channel)?.newest ?? 0)) setLast(channel, number);
    },
  };
}
