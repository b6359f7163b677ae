import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { EventSchema, newEventId } from "@petak/protocol";
import { type Allocator, createAllocator, createParticipantLogs, type ParticipantLogs } from "@petak/records";
import type { TestRedis } from "@petak/testkit";
import { onTestFinished } from "vitest";
import { createLogReader, type LogReader } from "../log-reader.ts";

/** Whose log is read in the tests of what reads logs. */
export const log = { participantId: "par_0000000000000001", mode: "test" } as const;

/** Something to record: in which region, when in ms by the gateway's clock, and whether the log's participant may see it. */
export interface TestEvent {
  region: string;
  recordedMs: number;
  isMine: boolean;
}

/** The records of one test, and what reads them as a gateway does. */
export interface LogWorld {
  readonly allocator: Allocator;
  readonly logs: ParticipantLogs;
  readonly reader: LogReader;
  /** Records events and gives the ids of those that the log's participant may see. */
  record(events: readonly TestEvent[]): Promise<string[]>;
}

/** The nth of many regions. */
export function regionAt(index: number): string {
  return (0x830000 + index).toString(16);
}

/** Opens the records under a test's prefix. Closed with the test. */
export async function openLogWorld(redis: TestRedis): Promise<LogWorld> {
  const connection = await redis.connect();
  const allocator = createAllocator({ redis: connection, prefix: redis.keyPrefix });
  const logs = createParticipantLogs({
    redis: connection,
    connect: () => redis.connectLater(),
    keys: allocator.keys,
    onError: (error) => {
      throw error;
    },
  });
  onTestFinished(async () => {
    await logs.stop();
    connection.disconnect();
  });
  return {
    allocator,
    logs,
    reader: createLogReader(logs),
    async record(events) {
      const recording = events.map(async ({ region, recordedMs, isMine }) => {
        const eventId = newEventId(region);
        const event = create(EventSchema, {
          eventId,
          participantId: isMine ? log.participantId : "par_0000000000000003",
          operatorId: "par_0000000000000002",
          isTest: true,
          recordedAt: timestampFromMs(recordedMs),
        });
        await connection.sadd(allocator.keys.regions(), region);
        await allocator.events.appendOnce(region, eventId, event);
        return isMine ? [eventId] : [];
      });
      return (await Promise.all(recording)).flat();
    },
  };
}
