import { create } from "@bufbuild/protobuf";
import { EventSchema, newEventId } from "@petak/protocol";
import { connectRedis, createAcknowledgements, createKeys, type FeedName } from "@petak/redis";
import { startTestReplica, startTestServer } from "@petak/testkit";
import { expect, it, onTestFinished } from "vitest";
import { createEventStream } from "../events/event-stream.ts";
import { testSiteIds } from "../testing/test-ids.ts";

import { createParticipantFeeds } from "./participant-feeds.ts";

const region = "836520";
const feed: FeedName = { participantId: "par_courier", mode: "test" };

it("an event is appended to feeds only when replicas have it", async () => {
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
  expect(await ready(60_000)).toBe(true);
  const feeds = createParticipantFeeds({
    redis,
    recordedOver: connection,
    acknowledge,
    connect,
    keys,
    siteIds: testSiteIds,
    onError: () => undefined,
  });
  onTestFinished(feeds.stop);
  const following = feeds.subscribe(feed);
  const record = async () => {
    const event = create(EventSchema, { eventId: newEventId(region), isTest: true, ...feed });
    await createEventStream(redis, keys, testSiteIds).appendOnce(region, event.eventId, event);
  };
  await redis.sadd(keys.regions(), region);
  await record();
  // From here on the server has the scripts, as usual.
  expect(await following.wait(0, 120_000, [])).toBe(true);

  replica.freeze();
  await record();
  // A subscriber has caused a failed build already, so it is known that the replica is unreachable.
  await expect(feeds.build(region)).rejects.toMatchObject({
    reason: expect.stringMatching(/^(DURABILITY_UNCONFIRMED|REPLICAS_UNAVAILABLE)$/),
  });
  expect(await feeds.last(feed)).toBe(1);

  replica.thaw();
  expect(await following.wait(1, 120_000, [])).toBe(true);
});
