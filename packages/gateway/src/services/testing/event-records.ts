import { create, toBinary } from "@bufbuild/protobuf";
import { connectRedis, createAllocator, createKeys, type EventLog } from "@petak/allocator";
import { EventSchema, Role } from "@petak/protocol";
import type { TestRedis } from "@petak/testkit";
import { publishedEvent } from "@petak/testkit";
import { Redis } from "ioredis";
import type { ParticipantCaller } from "../../identity/index.ts";

/** Who reads in the tests of the readers of events. */
export const caller: ParticipantCaller = {
  kind: "participant",
  participantId: "par_0000000000000001",
  roles: [Role.COURIER],
  mode: "test",
  keyId: "key_test_0000000000000000",
};

/** Runs the site of every event. */
export const operatorId = "par_0000000000000002";

/** Something to record: where, when (`*`: now), and whether the caller may see it. */
export interface TestEvent {
  region: string;
  ms: number | "*";
  isMine: boolean;
  /** The caller's own event of the other network, which it may not see here either. Default false. */
  isLive?: boolean;
}

/** The records of one test. */
export interface EventRecords {
  /** The log over them, which counts what is read. */
  readonly log: EventLog;
  /** Reads of regions, and the entries that they gave. */
  readonly reads: { count: number; entries: number };
  /** Records events and gives their ids, the caller's apart. Ids end in a number that counts them. */
  record(events: TestEvent[]): Promise<{ all: string[]; mine: string[] }>;
  close(): void;
}

/** The nth of many regions. */
export function regionAt(index: number): string {
  return (0x830000 + index).toString(16);
}

/** Opens the records under a test's prefix. */
export async function openEventRecords(redis: TestRedis): Promise<EventRecords> {
  const connection = connectRedis({ socketPath: redis.options.path }, { onError: () => undefined });
  await connection.connect();
  const writer = new Redis(redis.options);
  const keys = createKeys(redis.keyPrefix);
  const { events } = createAllocator({ redis: connection, prefix: redis.keyPrefix });
  const reads = { count: 0, entries: 0 };
  let recorded = 0;
  return {
    reads,
    log: {
      ...events,
      async readAfter(region, entry, count) {
        const found = await events.readAfter(region, entry, count);
        reads.count++;
        reads.entries += found.length;
        return found;
      },
    },
    async record(entries) {
      const pipeline = writer.pipeline();
      const written: { key: string; bytes: Buffer }[] = [];
      const all = entries.map(({ region, ms, isMine, isLive = false }) => {
        const eventId = `evt_${region}_${recorded++}`;
        const event = create(EventSchema, {
          eventId,
          operatorId,
          participantId: isMine || isLive ? caller.participantId : "par_0000000000000003",
          isTest: !isLive,
          // Some of the others' speak of the caller.
          partnerReference: recorded % 2 === 0 ? caller.participantId : "",
        });
        pipeline.sadd(keys.regions(), region);
        const bytes = Buffer.from(toBinary(EventSchema, event));
        pipeline.xadd(keys.events(region), ms === "*" ? "*" : `${ms}-*`, "event", bytes);
        written.push({ key: keys.events(region), bytes });
        return eventId;
      });
      const replies = (await pipeline.exec()) ?? [];
      const publishing = writer.pipeline();
      for (const [index, { key, bytes }] of written.entries()) {
        const [, entry] = replies[2 * index + 1] ?? [];
        publishing.spublish(key, publishedEvent(String(entry), bytes));
      }
      await publishing.exec();
      return { all, mine: all.filter((_, index) => entries[index]?.isMine) };
    },
    close() {
      connection.disconnect();
      writer.disconnect();
    },
  };
}
