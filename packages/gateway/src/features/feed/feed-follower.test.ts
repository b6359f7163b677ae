import { createRandom, testSeed, useRedis } from "@petak/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { followFeed } from "./feed-follower.ts";
import { type FeedWorld, feed, openFeedWorld, regionAt } from "./testing/feed-world.ts";

const redis = useRedis();
let world: FeedWorld;

beforeEach(async () => {
  world = await openFeedWorld(redis);
});

const idsOf = (page: { events: { eventId: string }[] }) => page.events.map(({ eventId }) => eventId);

describe("a follower", () => {
  it("gets earlier events at once, and is woken by its own new events only", async () => {
    const before = await world.record([{ region: regionAt(0), recordedMs: 1, isMine: true }]);
    const follower = followFeed({ ...world, feed, cursor: { number: 0 } });
    expect(idsOf(await follower.next(10))).toEqual(before);
    await world.record([{ region: regionAt(0), recordedMs: 2, isMine: false }]);
    expect(await follower.wait(50, [])).toBe(false);
    const waiting = follower.wait(10_000, []);
    const mine = await world.record([{ region: regionAt(1), recordedMs: 3, isMine: true }]);
    expect(await waiting).toBe(true);
    expect(idsOf(await follower.next(10))).toEqual(mine);
    const closing = follower.wait(10_000, []);
    follower.close();
    expect(await closing).toBe(false);
  });

  it("misses and repeats nothing while others record", async () => {
    const random = createRandom(testSeed());
    const follower = followFeed({ ...world, feed, cursor: { number: 0 } });
    const mine: string[] = [];
    const seen: string[] = [];
    const recording = (async () => {
      for (let round = 0; round < 60; round++) {
        const events = Array.from({ length: random.int(1, 6) }, () => ({
          region: regionAt(random.int(0, 7)),
          recordedMs: round,
          isMine: random.bool(0.4),
        }));
        mine.push(...(await world.record(events)));
      }
      mine.push(...(await world.record([{ region: regionAt(0), recordedMs: 99, isMine: true }])));
    })();
    let isOver = false;
    void recording.finally(() => {
      isOver = true;
    });
    while (!isOver || seen.length < mine.length) {
      const page = await follower.next(random.int(1, 5));
      seen.push(...idsOf(page));
      if (!page.hasMore) await follower.wait(random.bool() ? 0 : 100, []);
    }
    await recording;
    expect([...seen].sort()).toEqual([...mine].sort());
    follower.close();
  });
});
