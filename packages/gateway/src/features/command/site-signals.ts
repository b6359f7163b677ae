import { setTimeout as pause } from "node:timers/promises";
import type { Event } from "@petak/protocol";
import type { ParticipantFeeds } from "@petak/records";
import type { FeedName } from "@petak/redis";
import { followFeed } from "../feed/feed-follower.ts";
import type { FeedReader } from "../feed/feed-reader.ts";

/** Called with each event of a site; with undefined if some may have been missed. */
export type SiteListener = (event: Event | undefined) => void;

/** Tells those who wait at one site what was recorded about it, by whichever gateway. */
export interface SiteSignals {
  /** Listens to events of a site in its operator's feed. Every event that is recorded after `ready` resolves is heard of. */
  listen(feed: FeedName, siteId: string, listener: SiteListener): { readonly ready: Promise<void>; stop(): void };
}

/** Events that are read at a time. */
const pageSize = 200;

/** Until a feed that cannot be read is tried again, in ms. */
const retryMs = 1000;

/** How long one wait for events lasts, in ms. */
const waitMs = 60_000;

interface Followed {
  readonly listeners: Map<string, Set<SiteListener>>;
  readonly ended: AbortController;
  readonly ready: Promise<void>;
}

/** Creates the signals over feeds: each operator's feed is read once at this gateway, however many of its sites are waited for. */
export function createSiteSignals(options: {
  reader: FeedReader;
  feeds: Pick<ParticipantFeeds, "subscribe">;
  stopping: AbortSignal;
  onError: (error: unknown) => void;
}): SiteSignals {
  const { reader, feeds, stopping, onError } = options;
  const followed = new Map<string, Followed>();

  async function follow(feed: FeedName, { listeners, ended }: Followed, onReady: () => void): Promise<void> {
    const signals = [ended.signal, stopping];
    const isOver = () => signals.some(({ aborted }) => aborted);
    const tellAll = () => {
      for (const site of listeners.values()) for (const listener of site) listener(undefined);
    };
    while (!isOver()) {
      try {
        const follower = followFeed({ reader, feeds, feed, cursor: await reader.end(feed) });
        onReady();
        tellAll();
        try {
          while (!isOver()) {
            const { events, hasMore } = await follower.next(pageSize);
            for (const event of events) for (const listener of listeners.get(event.siteId) ?? []) listener(event);
            if (!hasMore) await follower.wait(waitMs, signals);
          }
        } finally {
          follower.close();
        }
      } catch (error) {
        onReady();
        if (isOver()) return;
        onError(error);
        await pause(retryMs, undefined, { signal: AbortSignal.any(signals) }).catch(() => undefined);
      }
    }
  }

  return {
    listen(feed, siteId, listener) {
      const name = `${feed.mode}:${feed.participantId}`;
      let own = followed.get(name);
      if (own === undefined) {
        const { promise, resolve } = Promise.withResolvers<void>();
        own = { listeners: new Map(), ended: new AbortController(), ready: promise };
        followed.set(name, own);
        void follow(feed, own, resolve);
      }
      const { listeners, ended, ready } = own;
      const site = listeners.get(siteId) ?? new Set();
      listeners.set(siteId, site.add(listener));
      return {
        ready,
        stop() {
          site.delete(listener);
          if (site.size === 0 && listeners.get(siteId) === site) listeners.delete(siteId);
          if (listeners.size > 0 || followed.get(name)?.ended !== ended) return;
          followed.delete(name);
          ended.abort();
        },
      };
    },
  };
}
