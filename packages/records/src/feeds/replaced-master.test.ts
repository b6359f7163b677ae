import { create } from "@bufbuild/protobuf";
import { EventSchema, newEventId } from "@petak/protocol";
import { connectRedis, createKeys, type LogName } from "@petak/redis";
import { startTestReplica, startTestServer } from "@petak/testkit";
import { Redis } from "ioredis";
import { expect, it, onTestFinished } from "vitest";
import { createEventLog } from "../events/event-log.ts";

import { createParticipantLogs } from "./participant-logs.ts";

const region = "836520";
const log: LogName = { participantId: "par_courier", mode: "test" };
const keys = createKeys("lost");

it("who follows a log misses nothing where a master has lost its end and kept its connections: one that was a replica for a while", async () => {
  const master = await startTestServer({ hasReplicas: true });
  onTestFinished(() => master.stop());
  const replica = await startTestReplica(master);
  onTestFinished(() => replica.stop());
  const start = async () => {
    const connect = () => connectRedis({ socketPath: master.options.path }, { onError: () => undefined });
    const redis = connect();
    await redis.connect();
    const logs = createParticipantLogs({ redis, connect, keys, onError: () => undefined });
    onTestFinished(async () => {
      await logs.stop();
      redis.disconnect();
    });
    const record = async () => {
      const event = create(EventSchema, { eventId: newEventId(region), isTest: true, ...log });
      await createEventLog(redis, keys).appendOnce(region, event.eventId, event);
      await logs.build(region);
      return event.eventId;
    };
    return { redis, logs, record };
  };
  const { redis, logs, record } = await start();
  const [own, its] = [new Redis(master.options), new Redis(replica.options)];
  onTestFinished(() => {
    for (const one of [own, its]) one.disconnect();
  });
  await redis.sadd(keys.regions(), region);
  let closes = 0;
  redis.on("close", () => closes++);
  const following = logs.subscribe(log);
  const first = await record();
  await replica.promote();
  await record();
  const { place } = await logs.readAfter(log, { number: 0 }, 10);
  expect(place.number).toBe(2);

  // By itself a master waits five seconds for more replicas.
  await its.config("SET", "repl-diskless-sync-delay", "0");
  await own.replicaof("127.0.0.1", replica.port as number);
  await expect.poll(() => own.info("replication"), { timeout: 20_000 }).toMatch(/master_link_status:up/);
  await own.replicaof("NO", "ONE");
  expect(closes).toBe(0);
  expect(await logs.last(log)).toBe(1);

  const other = await start();
  const second = await other.record();
  const third = await record();
  expect(await following.wait(2, 10_000, [])).toBe(true);
  const { events } = await logs.readAfter(log, place, 10);
  // What was recorded in the moment before the loss may come twice.
  expect(events.map(({ event }) => event.eventId).filter((id) => id !== first)).toEqual([second, third]);
});
