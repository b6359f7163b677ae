import type { Region } from "@petak/protocol";

/** How the records have grown. */
export interface Growth {
  /** Regions with a new event that may concern the participant. */
  readonly toRead: ReadonlySet<Region>;
  /**
   * Region → the last of its new entries, where none of them concerns the participant. Whoever has read the region to its end need not read
   * them, and goes on after that entry.
   */
  readonly toPass: ReadonlyMap<Region, string>;
}

/** What one participant is told of the records' growth. */
export interface EventSubscription {
  /** The growth since the last call, or since the subscription began. */
  take(): Growth;
  /**
   * Resolves with true when there is something to read, at once where there is already; with false after `timeoutMs`, when a signal aborts or
   * when the subscription is closed. One wait at a time.
   */
  wait(timeoutMs: number, signals: readonly AbortSignal[]): Promise<boolean>;
  /** Ends the subscription. May be called any number of times. */
  close(): void;
}

/** Those who want to know of growth. */
export interface Subscribers {
  add(participantId: string): EventSubscription;
  /** Says that a region has grown up to an entry, and whom what is new concerns. Wakes only those. */
  tell(region: Region, newest: string, concerned: ReadonlySet<string> | "everyone"): void;
  readonly size: number;
}

interface Subscriber {
  toRead: Set<Region>;
  wake(): void;
}

/**
 * Makes an empty set of subscribers. An event costs as much as it has parties that wait, however many others wait beside them: those learn
 * at their next {@link EventSubscription.take} what they may pass over.
 */
export function createSubscribers(): Subscribers {
  const byParticipant = new Map<string, Set<Subscriber>>();
  const grown = new Map<Region, { count: number; newest: string }>();
  // Counts what was told, so that each subscriber knows what it has taken.
  let told = 0;

  return {
    add(participantId) {
      let taken = told;
      let stopWaiting: ((hasNews: boolean) => void) | undefined;
      const subscriber: Subscriber = { toRead: new Set(), wake: () => stopWaiting?.(true) };
      const others = byParticipant.get(participantId) ?? new Set();
      byParticipant.set(participantId, others.add(subscriber));
      return {
        take() {
          const { toRead } = subscriber;
          const unread = told === taken ? [] : [...grown].filter(([region, { count }]) => count > taken && !toRead.has(region));
          taken = told;
          subscriber.toRead = new Set();
          return { toRead, toPass: new Map(unread.map(([region, { newest }]) => [region, newest])) };
        },
        wait(timeoutMs, signals) {
          if (subscriber.toRead.size > 0) return Promise.resolve(true);
          if (signals.some(({ aborted }) => aborted)) return Promise.resolve(false);
          return new Promise((resolve) => {
            const stop = (hasNews: boolean) => {
              stopWaiting = undefined;
              clearTimeout(timer);
              for (const signal of signals) signal.removeEventListener("abort", onAbort);
              resolve(hasNews);
            };
            const onAbort = () => stop(false);
            const timer = setTimeout(stop, timeoutMs, false);
            stopWaiting = stop;
            for (const signal of signals) signal.addEventListener("abort", onAbort);
          });
        },
        close() {
          const all = byParticipant.get(participantId);
          if (all?.delete(subscriber) === true && all.size === 0) byParticipant.delete(participantId);
          stopWaiting?.(false);
        },
      };
    },
    tell(region, newest, concerned) {
      grown.set(region, { count: ++told, newest });
      const found = concerned === "everyone" ? byParticipant.values() : [...concerned].map((id) => byParticipant.get(id) ?? []);
      for (const subscribers of found) {
        for (const subscriber of subscribers) {
          subscriber.toRead.add(region);
          subscriber.wake();
        }
      }
    },
    get size() {
      return byParticipant.size;
    },
  };
}
