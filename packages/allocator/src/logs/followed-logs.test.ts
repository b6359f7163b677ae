import { once } from "node:events";
import { create } from "@bufbuild/protobuf";
import { EventSchema, newEventId } from "@petak/protocol";
import { createRandom, type Random, testSeed, useRedis } from "@petak/testkit";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { RedisConnection } from "../connection/connect-redis.ts";
import { isStoreFailure } from "../connection/store-failure.ts";
import { createEventLog } from "../events/event-log.ts";
import { createKeys, type Keys } from "../keys.ts";
import type { LogName } from "./log-reference.ts";
import { createParticipantLogs, type LogPlace, type NumberedEvent, type ParticipantLogs } from "./participant-logs.ts";

const redis = useRedis();
const log: LogName = { participantId: "par_courier", mode: "test" };
const regions = ["836520", "836521", "836522"];

let keys: Keys;
let random: Random;

beforeEach(() => {
  keys = createKeys(redis.keyPrefix);
  random = createRandom(testSeed());
});

interface Process {
  /** How often it has read a log. */
  reads(): number;
  logs: ParticipantLogs;
  /** Records something of the participant, however often the connection is lost meanwhile. */
  record(): Promise<void>;
  /** Loses the connection, which is connected again by itself. */
  loseConnection(): Promise<void>;
}

async function startProcess(): Promise<Process> {
  const connection = await redis.connect();
  let reads = 0;
  const counting: RedisConnection = new Proxy(connection, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (name === "getrangeBuffer") reads++;
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const recorded = createEventLog(counting, keys);
  await connection.sadd(keys.regions(), ...regions);
  const logs = createParticipantLogs({
    redis: counting,
    connect: () => redis.connectLater(),
    keys,
    onError: (error) => {
      throw error;
    },
  });
  onTestFinished(async () => {
    await logs.stop();
    connection.disconnect();
  });
  return {
    reads: () => reads,
    logs,
    async record() {
      const region = random.pick(regions);
      const event = create(EventSchema, { eventId: newEventId(region), isTest: true, ...log });
      for (;;) {
        try {
          await recorded.appendOnce(region, event.eventId, event);
          return;
        } catch (error) {
          if (!isStoreFailure(error)) throw error;
          if (connection.status !== "ready") await once(connection, "ready");
        }
      }
    },
    async loseConnection() {
      const ready = once(connection, "ready");
      connection.disconnect(true);
      await ready;
    },
  };
}

/** Follows the log from its beginning until it has so many events. */
async function follow({ logs }: Process, count: number): Promise<NumberedEvent[]> {
  const subscription = logs.subscribe(log);
  const events: NumberedEvent[] = [];
  let place: LogPlace = { number: 0 };
  while (events.length < count) {
    await subscription.wait(place.number, 1000, []);
    try {
      const page = await logs.readAfter(log, place, random.int(1, 50));
      events.push(...page.events);
      ({ place } = page);
    } catch (error) {
      if (!isStoreFailure(error)) throw error;
    }
  }
  subscription.close();
  return events;
}

describe("a log that is followed while it grows", () => {
  it("comes to all who follow it as it is read back, whichever process appends and though connections are lost", {
    timeout: 60_000,
  }, async () => {
    const processes = await Promise.all([startProcess(), startProcess(), startProcess()]);
    const each = 150;
    const following = processes.map((process) => follow(process, each * processes.length));
    let isOver = false;
    const losing = (async () => {
      // A cluster's connections are lost in tests of their own.
      while (!isOver && !redis.isCluster) await random.pick(processes).loseConnection();
    })();
    await Promise.all(
      processes.map(async (process) => {
        for (let left = each; left > 0; ) {
          const burst = Math.min(left, random.int(1, 20));
          await Promise.all(Array.from({ length: burst }, () => process.record()));
          left -= burst;
        }
      }),
    );
    isOver = true;
    const followed = await Promise.all(following);
    await losing;
    const { logs } = await startProcess();
    const { events } = await logs.readAfter(log, { number: 0 }, 10_000);
    const told = (some: readonly NumberedEvent[]) => some.map(({ number, event }) => `${number} ${event.eventId}`);
    expect(events.map(({ number }) => number)).toEqual(Array.from({ length: each * processes.length }, (_, index) => index + 1));
    for (const some of followed) expect(told(some)).toEqual(told(events));
  });

  it("is not read back where it grows", async () => {
    const process = await startProcess();
    const count = 100;
    const following = follow(process, count);
    for (let index = 0; index < count; index++) await process.record();
    expect((await following).map(({ number }) => number)).toEqual(Array.from({ length: count }, (_, index) => index + 1));
    // Before it is known where the log ends.
    expect(process.reads()).toBeLessThan(5);
  });
});
