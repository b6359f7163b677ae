import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type Event, reasonOf } from "@petak/protocol";
import { createRandom, type Random, testSeed, useRedis } from "@petak/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { decodeCursor, encodeCursor, type FeedCursor, type FeedRange } from "./feed-cursor.ts";
import type { FeedReader } from "./feed-reader.ts";
import { type FeedWorld, feed, openFeedWorld, regionAt } from "./testing/feed-world.ts";

const redis = useRedis();
const startMs = 1_790_000_000_000;
let world: FeedWorld;
let reader: FeedReader;
let random: Random;

beforeEach(async () => {
  world = await openFeedWorld(redis);
  ({ reader } = world);
  random = createRandom(testSeed());
});

/** Records events whose times are not in order, as with gateways whose clocks differ. */
async function recordMany(count: number): Promise<string[]> {
  const events = Array.from({ length: count }, (_, index) => ({
    region: regionAt(random.int(0, 3)),
    recordedMs: startMs + 10 * index + random.int(-500, 500),
    isMine: random.bool(0.8),
  }));
  return await world.record(events);
}

/** Reads pages to the end, each from the cursor of the page before. */
async function readAll(cursor: FeedCursor, pageSize: () => number): Promise<Event[]> {
  const events: Event[] = [];
  for (let place = cursor; ; ) {
    const size = pageSize();
    const page = await reader.readAfter(feed, place, size);
    expect(page.events.length).toBeLessThanOrEqual(size);
    events.push(...page.events);
    place = decodeCursor(feed, encodeCursor(feed, page.cursor));
    if (!page.hasMore) return events;
  }
}

describe("the reader of feeds", () => {
  it("gives each event once with its number, at any page size", async () => {
    const mine = await recordMany(700);
    await reader.bringUpToDate(feed);
    const events = await readAll({ number: 0 }, () => random.int(1, 400));
    expect(events.map(({ eventId }) => eventId).sort()).toEqual(mine.sort());
    expect(events.map(({ feedNumber }) => Number(feedNumber))).toEqual(events.map((_, index) => index + 1));
  });

  it("gives exactly the events of a range of numbers and times, at any page size", async () => {
    await recordMany(900);
    await reader.bringUpToDate(feed);
    const all = await readAll({ number: 0 }, () => 1000);
    for (let round = 0; round < 30; round++) {
      const number = random.bool() ? 0 : random.int(0, all.length);
      const range: FeedRange = {
        ...(random.bool() ? { toNumber: random.int(0, all.length + 10) } : {}),
        ...(random.bool() ? { fromMs: startMs + random.int(-1000, 10_000) } : {}),
        ...(random.bool() ? { toMs: startMs + random.int(-1000, 10_000) } : {}),
      };
      const { toNumber = Number.POSITIVE_INFINITY, fromMs = 0, toMs = Number.POSITIVE_INFINITY } = range;
      const wanted = all.filter(({ feedNumber, recordedAt }) => {
        const recordedMs = recordedAt === undefined ? 0 : timestampMs(recordedAt);
        return feedNumber > number && feedNumber <= toNumber && recordedMs >= fromMs && recordedMs < toMs;
      });
      const size = random.int(1, 200);
      expect({ range, events: await readAll({ number, range }, () => size) }).toEqual({ range, events: wanted });
    }
  });

  it("ends a page of a range after a limited number of examined events, and continues in the next", async () => {
    const evenMs = () => startMs + 2 * random.int(0, 5000);
    await world.record(Array.from({ length: 2600 }, () => ({ region: regionAt(0), recordedMs: evenMs(), isMine: true })));
    await reader.bringUpToDate(feed);
    const range = { fromMs: startMs + 5001, toMs: startMs + 5002 };
    const first = await reader.readAfter(feed, { number: 0, range }, 10);
    expect(first).toMatchObject({ events: [], hasMore: true });
    expect(first.cursor.number).toBeGreaterThanOrEqual(2000);
    expect(await reader.readAfter(feed, first.cursor, 10)).toMatchObject({ events: [], hasMore: false });
  });

  it("refuses a cursor after the end of the feed", async () => {
    await recordMany(5);
    await reader.bringUpToDate(feed);
    const { number } = await reader.end(feed);
    expect(reasonOf(await reader.readAfter(feed, { number: number + 1 }, 10).catch((error: unknown) => error))).toBe("CURSOR_INVALID");
    // A range may end at numbers that do not exist yet.
    expect(await reader.readAfter(feed, { number: number + 1, range: {} }, 10)).toMatchObject({ events: [], hasMore: false });
    expect(await reader.readAfter(feed, { number }, 10)).toEqual({ events: [], cursor: { number }, hasMore: false });
  });
});
