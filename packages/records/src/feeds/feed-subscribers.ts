import type { FeedName } from "@petak/redis";
/** One who waits for a feed to grow. */
export interface FeedSubscription {
  /**
   * Resolves with true when the feed has a number after `number`, at once where it is known to have; with false after `timeoutMs`, when a signal
   * aborts or when the subscription is closed. One wait at a time.
   */
  wait(number: number, timeoutMs: number, signals: readonly AbortSignal[]): Promise<boolean>;
  /** Ends the subscription. May be called any number of times. */
  close(): void;
}

/** Those who wait for feeds to grow, by the channels of the feeds. */
export interface FeedSubscribers {
  add(channel: string, feed: FeedName): FeedSubscription;
  /** Says what is the last number of a feed, which is less than before where its end was lost. Wakes only those who wait for it. */
  tell(channel: string, number: number): void;
  /** Says that a feed has come to a number, which may be known to have gone on since: whoever appended it may hear of it later than of what came behind. */
  tellAppended(channel: string, number: number): void;
  /** The feeds that somebody waits for, by their channels. */
  readonly feeds: ReadonlyMap<string, FeedName>;
}

interface Followed {
  /** The last number that was told of. */
  newest: number;
  wakes: Set<() => void>;
  users: number;
}

/** Makes an empty set of subscribers. */
export function createFeedSubscribers(): FeedSubscribers {
  const followed = new Map<string, Followed>();
  const feeds = new Map<string, FeedName>();

  function tell(channel: string, number: number): void {
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
    tell,
    tellAppended(channel, number) {
      if (number > (followed.get(channel)?.newest ?? 0)) tell(channel, number);
    },
  };
}
