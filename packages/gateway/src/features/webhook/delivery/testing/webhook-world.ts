import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Event, EventSchema, EventType, newEventId } from "@petak/protocol";
import {
  createParticipantFeeds,
  createRecords,
  createWebhookStore,
  type Records,
  type StoredWebhook,
  type WebhookStore,
} from "@petak/records";
import type { RedisConnection } from "@petak/redis";
import { createKeys } from "@petak/redis";
import { createManualTimers, createRandom, type ManualTimers, type TestRedis, testSeed, testStoreCode } from "@petak/testkit";
import { onTestFinished } from "vitest";
import { createLogger } from "../../../../observability/logger.ts";
import { createMetrics, type Metrics } from "../../../../observability/metrics.ts";
import { encodeCursor } from "../../../feed/feed-cursor.ts";
import { createFeedReader, type FeedReader } from "../../../feed/feed-reader.ts";
import { type DeliveryHealth, healthIn } from "../delivery-health.ts";
import type { Dispatcher } from "../dispatcher.ts";
import { type Networks, parseNetworks } from "../networks.ts";
import { createWebhookSending, type WebhookOptions } from "../webhook-sending.ts";

/** The region of all events. */
export const region = "83652b";

/** The participant whose events are delivered. */
export const participantId = "par_0000000000000001";

/** The secret from which endpoints' keys are derived. */
export const derivationKey: Uint8Array = Buffer.alloc(32, 7);

/** Stores, endpoints, and gateways that deliver, with a manual clock. */
export interface WebhookWorld {
  readonly records: Records;
  readonly store: WebhookStore;
  readonly reader: FeedReader;
  readonly timers: ManualTimers;
  readonly metrics: Metrics;
  /** Starts a gateway's dispatcher. Stopped with the test. */
  deliver(options?: WebhookOptions): Dispatcher;
  /** Adds an endpoint for events from now on. */
  addEndpoint(url: string, more?: Partial<StoredWebhook>): Promise<StoredWebhook>;
  /** Records events of the participant, each about another reservation unless `more` names one, and returns their ids. */
  record(count: number, more?: Partial<Event>): Promise<string[]>;
  health(endpoint: StoredWebhook): Promise<DeliveryHealth>;
  /** Type and endpoint of the recorded events about endpoints. */
  alarms(): Promise<[EventType, string][]>;
}

/** Opens a world under a test's key prefix. */
export async function openWebhookWorld(redis: TestRedis): Promise<WebhookWorld> {
  // A dispatcher waits a second after a command that took too long, and no second passes here.
  const connection: RedisConnection = await redis.connect({ commandTimeoutMs: 0 });
  const records = createRecords({ redis: connection, storeCode: testStoreCode, prefix: redis.keyPrefix });
  const store = createWebhookStore(connection, createKeys(redis.keyPrefix));
  const timers = createManualTimers();
  const metrics = createMetrics({ processMetrics: false });
  const random = createRandom(testSeed());
  const feeds = createParticipantFeeds({
    redis: connection,
    connect: () => redis.connectLater(),
    keys: createKeys(redis.keyPrefix),
    siteIds: records.siteIds,
    onError: () => undefined,
  });
  const reader = createFeedReader(feeds);
  await connection.sadd(createKeys(redis.keyPrefix).regions(), region);
  const dispatchers: Dispatcher[] = [];
  let made = 0;
  onTestFinished(async () => {
    await Promise.all(dispatchers.map((dispatcher) => dispatcher.stop(0)));
    await feeds.stop();
    connection.disconnect();
  });

  return {
    records,
    store,
    reader,
    timers,
    metrics,
    deliver(options = {}) {
      const dispatcher = createWebhookSending({
        records,
        store,
        reader,
        feeds,
        derivationKey,
        audience: "petak",
        now: timers.now,
        after: timers.after,
        random: random.float,
        logger: createLogger({ level: "silent" }),
        logFailure: () => undefined,
        metrics,
        allowedNetworks: parseNetworks("127.0.0.0/8") as Networks,
        allowHttp: true,
        // A gateway that is not asked for a while keeps its endpoints: what is sent twice by another one would fail a test.
        leaseMs: 600_000,
        ...options,
      }).start();
      dispatchers.push(dispatcher);
      return dispatcher;
    },
    async addEndpoint(url, more = {}) {
      const endpoint: StoredWebhook = {
        endpointId: `whe_test_${String(++made).padStart(16, "0")}`,
        participantId,
        mode: "test",
        createdMs: timers.now() + made,
        url,
        eventTypes: [],
        label: "",
        isPaused: false,
        verifiedMs: undefined,
        keys: [{ number: 1, createdMs: timers.now(), overlapMs: 0, requestId: "first" }],
        ...more,
      };
      await records.deliveries.begin(endpoint.endpointId, { cursor: encodeCursor(endpoint, await reader.end(endpoint)) });
      await store.add(endpoint, 100);
      return endpoint;
    },
    async record(count, more = {}) {
      const ids: string[] = [];
      for (let index = 0; index < count; index++) {
        const eventId = newEventId(region);
        const event = create(EventSchema, {
          eventId,
          type: EventType.RESERVATION_HELD,
          reservationId: `res_${region}_${eventId.slice(-16)}`,
          siteId: records.siteIds.format(region, 1),
          participantId,
          isTest: true,
          occurredAt: timestampFromMs(timers.now()),
          recordedAt: timestampFromMs(timers.now()),
        });
        await records.events.appendOnce(region, eventId, Object.assign(event, more));
        ids.push(eventId);
      }
      return ids;
    },
    health: async ({ endpointId }) => healthIn(await records.deliveries.fields(endpointId)),
    async alarms() {
      const entries = await records.events.readAfter(region, "0-0", 10_000);
      return entries.flatMap(({ event }) =>
        event.webhookEndpointId === "" ? [] : [[event.type, event.webhookEndpointId] as [EventType, string]],
      );
    },
  };
}
