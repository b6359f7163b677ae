import { create } from "@bufbuild/protobuf";
import { EventSchema, newEventId } from "@petak/protocol";
import { connectRedis, createKeys, type FeedName } from "@petak/redis";
import { startTestReplica, startTestServer } from "@petak/testkit";
import { Redis } from "ioredis";
import { expect, it, onTestFinished } from "vitest";
import { createEventStream } from "../events/event-stream.ts";
import { testSiteIds } from "../testing/test-ids.ts";

import { createParticipantFeeds } from "./participant-feeds.ts";

const region = "836520";
const feed: FeedName = { participantId: "par_courier", mode: "test" };
const keys = createKeys("lost");

it("a subscriber misses nothing if a master has lost the feed's end but kept its connections, since it was a replica for a while", async () => {
  const master = await startTestServer({ hasReplicas: true });
  onTestFinished(() => master.stop());
  const replica = await startTestReplica(master);
  onTestFinished(() => replica.stop());
  const start = async () => {
    const connect = () => connectRedis({ socketPath: master.options.path }, { onError: () => undefined });
    const redis = connect();
    await redis.connect();
    const feeds = createParticipantFeeds({ redis, connect, keys, siteIds: testSiteIds, onError: () => undefined });
    onTestFinished(async () => {
      await feeds.stop();
      redis.disconnect();
    });
    const record = async () => {
      const event = create(EventSchema, { eventId: newEventId(region), isTest: true, ...feed });
      await createEventStream(redis, keys, testSiteIds).appendOnce(region, event.eventId, event);
      await feeds.build(region);
      return event.eventId;
    };
    return { redis, feeds, record };
  };
  const { redis, feeds, record } = await start();
  const [own, its] = [new Redis(master.options), new Redis(replica.options)];
  onTestFinished(() => {
    for (const one of [own, its]) one.disconnect();
  });
  await redis.sadd(keys.regions(), region);
  let closes = 0;
  redis.on("close", () => closes++);
  const following = feeds.subscribe(feed);
  const first = await record();
  await replica.promote();
  await record();
  const { position } = await feeds.readAfter(feed, { number: 0 }, 10);
  expect(position.number).toBe(2);

  // By default a master waits five seconds for more replicas.
  await its.config("SET", "repl-diskless-sync-delay", "0");
  await own.replicaof("127.0.0.1", replica.port as number);
  await expect.poll(() => own.info("replication")).toMatch(/master_link_status:up/);
  await own.replicaof("NO", "ONE");
  expect(closes).toBe(0);
  expect(await feeds.last(feed)).toBe(1);

  const other = await start();
  const second = await other.record();
  const third = await record();
  expect(await following.wait(2, 10_000, [])).toBe(true);
  const { events } = await feeds.readAfter(feed, position, 10);
  // Events of the last moment before the loss may be returned twice.
  expect(events.map(({ event }) => event.eventId).filter((id) => id !== first)).toEqual([second, third]);
});
