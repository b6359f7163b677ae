import { createRandom, testSeed, useRedis } from "@petak/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { decodeCursor, type EventCursor, encodeCursor } from "./event-cursor.ts";
import { createEventReader, type EventReader } from "./event-reader.ts";
import { caller, type EventRecords, openEventRecords, regionAt, type TestEvent } from "./testing/event-records.ts";

const redis = useRedis();
const startMs = 1_795_534_815_000;
let records: EventRecords;
let reader: EventReader;

beforeEach(async () => {
  records = await openEventRecords(redis);
  reader = createEventReader(records.log);
  return () => records.close();
});

/** Reads pages until there is no more, each from the cursor that the last one gave. */
async function readAll(pageSize: number) {
  const ids: string[] = [];
  const sizes: number[] = [];
  let cursor: EventCursor = new Map();
  for (;;) {
    const page = await reader.readAfter(cursor, { caller, pageSize });
    ids.push(...page.events.map(({ eventId }) => eventId));
    sizes.push(page.events.length);
    cursor = decodeCursor(encodeCursor(page.cursor));
    if (page.unread.size === 0) return { ids, sizes };
  }
}

describe("the event reader", () => {
  it.each([1, 7, 60])("gives each of the caller's events once and in the order of their times, over %i regions", async (regions) => {
    const random = createRandom(testSeed());
    let ms = startMs;
    const events = Array.from({ length: 3000 }, (): TestEvent => {
      ms += random.int(0, 2);
      // One region is far busier than the others.
      const region = regionAt(random.bool(0.5) ? 0 : random.int(0, regions - 1));
      return { region, ms, ...random.pick([{ isMine: true }, { isMine: false }, { isMine: false }, { isMine: false, isLive: true }]) };
    });
    const { all, mine } = await records.record(events);
    // Of one ms in several regions no order is known.
    const timeOf = new Map(all.map((eventId, index) => [eventId, events[index]?.ms]));
    const times = (ids: string[]) => ids.map((eventId) => timeOf.get(eventId));
    for (const pageSize of [1000, random.int(20, 200)]) {
      const { ids, sizes } = await readAll(pageSize);
      expect([...ids].sort()).toEqual([...mine].sort());
      expect(times(ids)).toEqual(times(mine));
      expect(Math.max(...sizes)).toBeLessThanOrEqual(pageSize);
    }
  });

  it.each([
    [40, 250],
    [700, 15],
    [1, 10_500],
  ])("reads little more than it looks at, and gets on, where %i regions have %i events of others", async (regions, each) => {
    await records.record(
      Array.from({ length: regions * each }, (_, index) => ({ region: regionAt(index % regions), ms: startMs + index, isMine: false })),
    );
    const { ids, sizes } = await readAll(1000);
    expect(ids).toEqual([]);
    // A page looks at 5000 entries at most, and at no less than half as many where there are as many.
    expect(sizes.length).toBeGreaterThanOrEqual(3);
    expect(sizes.length).toBeLessThanOrEqual(6);
    expect(records.reads.entries).toBeLessThan(2.5 * regions * each);
  });
});
