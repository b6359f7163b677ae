import { connectRedis, createEventTail, createKeys, type EventTail } from "@petak/allocator";
import { createRandom, testSeed, useRedis } from "@petak/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { type EventFollower, followEvents } from "./event-follower.ts";
import { createEventReader, type EventReader } from "./event-reader.ts";
import { caller, type EventRecords, openEventRecords, operatorId, regionAt } from "./testing/event-records.ts";

const redis = useRedis();
const regions = 8;
let records: EventRecords;
let reader: EventReader;
let tail: EventTail;
let follower: EventFollower;

beforeEach(async () => {
  records = await openEventRecords(redis);
  reader = createEventReader(records.log);
  const connect = () => connectRedis({ socketPath: redis.options.path }, { onError: () => undefined, commandTimeoutMs: 5000 });
  tail = createEventTail(connect, createKeys(redis.keyPrefix), () => undefined);
  // The tail notices regions a while after they began, and anyone reads them then. What is of interest here comes after.
  const witness = tail.subscribe("par_witness");
  const noticed = new Set<string>();
  await records.record(Array.from({ length: regions }, (_, index) => ({ region: regionAt(index), ms: "*", isMine: false })));
  while (noticed.size < regions && (await witness.wait(10_000, []))) for (const region of witness.take().toRead) noticed.add(region);
  witness.close();
  follower = followEvents({ reader, tail, caller, cursor: new Map() });
  await follower.next(100);
  return async () => {
    follower.close();
    await tail.stop();
    records.close();
  };
});

const idsOf = (page: { events: { eventId: string }[] }) => page.events.map(({ eventId }) => eventId);

/** Records events, resolves when the tail has told of all their regions, and gives the ids of the caller's. */
async function recordAndTell(events: { region: number; isMine: boolean }[]): Promise<string[]> {
  const operator = tail.subscribe(operatorId);
  const { mine } = await records.record(events.map(({ region, isMine }) => ({ region: regionAt(region), ms: "*", isMine })));
  const untold = new Set(events.map(({ region }) => regionAt(region)));
  while (untold.size > 0 && (await operator.wait(10_000, []))) for (const region of operator.take().toRead) untold.delete(region);
  operator.close();
  return mine;
}

describe("a follower", () => {
  it("reads only regions with something for its caller, and its cursor passes the others", async () => {
    records.reads.count = 0;
    const mine = await recordAndTell([
      ...Array.from({ length: 200 }, (_, index) => ({ region: index % regions, isMine: false })),
      { region: 3, isMine: true },
    ]);
    expect(await follower.wait(10_000, [])).toBe(true);
    const page = await follower.next(100);
    expect(idsOf(page)).toEqual(mine);
    await expect.poll(async () => (await follower.next(100)).cursor).toEqual(await reader.end());
    expect(records.reads.count).toBe(1);
  });

  it("passes nothing in a region that it has not read to its end", async () => {
    const mine = await recordAndTell(Array.from({ length: 5 }, () => ({ region: 0, isMine: true })));
    const first = await follower.next(2);
    await recordAndTell([{ region: 0, isMine: false }]);
    expect([...idsOf(first), ...idsOf(await follower.next(2)), ...idsOf(await follower.next(2))]).toEqual(mine);
  });

  it("misses nothing and tells nothing twice while others write, and its cursor is good for a reader at any time", async () => {
    const random = createRandom(testSeed());
    const mine: string[] = [];
    const seen: string[] = [];
    for (let round = 0; round < 150; round++) {
      const events = Array.from({ length: random.int(1, 6) }, () => ({ region: random.int(0, regions - 1), isMine: random.bool(0.3) }));
      const writing = recordAndTell(events);
      if (random.bool()) await writing;
      const page = await follower.next(random.int(1, 5));
      seen.push(...idsOf(page));
      mine.push(...(await writing));
      if (round % 10 === 0) {
        const rest = await reader.readAfter(page.cursor, { caller, pageSize: 1000 });
        expect([...seen, ...idsOf(rest)].sort()).toEqual([...mine].sort());
      }
    }
    await expect
      .poll(async () => {
        seen.push(...idsOf(await follower.next(100)));
        return [...seen].sort();
      })
      .toEqual([...mine].sort());
  });

  it("never goes back, however late the tail tells of what was read long ago", async () => {
    const { mine } = await records.record([
      { region: regionAt(0), ms: "*", isMine: false },
      { region: regionAt(0), ms: "*", isMine: true },
    ]);
    const late = await reader.end();
    const early = new Map([...late, [regionAt(0), "1-0"]]);
    const told = [
      { toRead: new Set([regionAt(0)]), toPass: new Map() },
      { toRead: new Set<string>(), toPass: early },
    ];
    // A tail as slow as the network likes.
    const slow: EventTail = {
      subscribe: () => ({
        take: () => told.shift() ?? { toRead: new Set(), toPass: new Map() },
        wait: () => Promise.resolve(true),
        close: () => undefined,
      }),
      stop: () => Promise.resolve(),
    };
    const other = followEvents({ reader, tail: slow, caller, cursor: new Map() });
    expect(idsOf(await other.next(100))).toEqual(mine);
    expect((await other.next(100)).cursor).toEqual(late);
  });
});
