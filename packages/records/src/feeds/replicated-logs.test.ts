import { create } from "@bufbuild/protobuf";
import { EventSchema, newEventId } from "@petak/protocol";
import { connectRedis, createAcknowledgements, createKeys, type LogName } from "@petak/redis";
import { startTestReplica, startTestServer } from "@petak/testkit";
import { expect, it, onTestFinished } from "vitest";
import { createEventLog } from "../events/event-log.ts";

import { createParticipantLogs } from "./participant-logs.ts";

const region = "836520";
const log: LogName = { participantId: "par_courier", mode: "test" };

it("an event that replicas do not have comes into no log, and comes there when they have it", async () => {
  await using master = await startTestServer({ hasReplicas: true });
  await using replica = await startTestReplica(master);
  const keys = createKeys("replicated");
  const connect = () => connectRedis({ socketPath: master.options.path }, { onError: () => undefined });
  const redis = connect();
  await redis.connect();
  onTestFinished(() => redis.disconnect());
  const level = { replicas: 1, on: "memory", withinMs: 300 } as const;
  const { connection, acknowledge, ready, stop } = createAcknowledgements({ connection: redis, keys, level, onError: () => undefined });
  onTestFinished(stop);
  expect(await ready(5000)).toBe(true);
  const logs = createParticipantLogs({ redis, recordedOver: connection, acknowledge, connect, keys, onError: () => undefined });
  onTestFinished(logs.stop);
  const following = logs.subscribe(log);
  const record = async () => {
    const event = create(EventSchema, { eventId: newEventId(region), isTest: true, ...log });
    await createEventLog(redis, keys).appendOnce(region, event.eventId, event);
  };
  await redis.sadd(keys.regions(), region);
  await record();
  // From here on the server has the scripts, as it nearly always does.
  expect(await following.wait(0, 20_000, [])).toBe(true);

  replica.freeze();
  await record();
  // Whoever follows the log has had it built already, in vain, since when it is known that the replica is away.
  await expect(logs.build(region)).rejects.toMatchObject({
    reason: expect.stringMatching(/^(DURABILITY_UNCONFIRMED|REPLICAS_UNAVAILABLE)$/),
  });
  expect(await logs.last(log)).toBe(1);

  replica.thaw();
  expect(await following.wait(1, 20_000, [])).toBe(true);
});
