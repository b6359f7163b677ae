import { EventType, WebhookFailure } from "@petak/protocol";
import type { StoredWebhook } from "@petak/records";
import { useRedis } from "@petak/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { deriveWebhookKey } from "../../../secrets/webhook-keys.ts";
import { backoffScheduleMs } from "./backoff-schedule.ts";
import { cursorIn } from "./delivery-health.ts";
import { pendingMax } from "./delivery-rounds.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { replayAt } from "./replay.ts";
import { type Receiver, startReceiver } from "./testing/receiver.ts";
import { verifyDelivery } from "./testing/verify-delivery.ts";
import { derivationKey, openWebhookWorld, participantId, type WebhookWorld } from "./testing/webhook-world.ts";

const redis = useRedis();
const minuteMs = 60_000;
let world: WebhookWorld;
let receiver: Receiver;

beforeEach(async () => {
  world = await openWebhookWorld(redis);
  receiver = await startReceiver();
});

/** Resolves when a receiver has got `count` requests and responded to all. */
async function untilReceived(count: number, from = receiver): Promise<void> {
  await expect.poll(() => [from.received.length, from.open.now], { interval: 5 }).toEqual([count, 0]);
}

/** Makes a dispatcher ask for leases until it delivers what is recorded. By itself it asks several times during a lease, which is longer than a test should wait. */
async function untilTakenOver(dispatcher: Dispatcher, endpointId: string, received: () => boolean): Promise<void> {
  const asked = expect.poll(
    () => {
      dispatcher.wake(endpointId);
      return received();
    },
    { interval: 20 },
  );
  await asked.toBe(true);
}

/** Resolves when everything recorded so far was accepted and the outcomes are stored. Only then may the clock advance. */
async function untilAllTaken(endpoint: StoredWebhook): Promise<void> {
  const { number } = await world.reader.end(endpoint);
  const read = async () => cursorIn(endpoint, await world.health(endpoint)).number;
  await expect.poll(read, { interval: 5 }).toBe(number);
  expect((await world.records.deliveries.pending(endpoint.endpointId)).count).toBe(0);
}

/** Resolves when the last attempt has failed and its retry is stored. */
async function untilRetryIsDue({ endpointId }: StoredWebhook): Promise<void> {
  const next = async () => (await world.records.deliveries.pending(endpointId)).nextMs;
  await expect.poll(next, { interval: 5 }).toBeGreaterThan(world.timers.now());
}

const answerAll = (status: number) => receiver.answer(status);

describe("a dispatcher", () => {
  it("sends events to the participant that they concern, once, and none of other participants or of the other network", async () => {
    await world.addEndpoint(receiver.url);
    await world.record(3, { participantId: "par_0000000000000009" });
    world.deliver();
    const mine = await world.record(30);
    await world.record(3, { isTest: false });
    const asOperator = await world.record(1, { participantId: "par_0000000000000009", operatorId: participantId });
    await untilReceived(31);
    expect([...receiver.ids()].sort()).toEqual([...mine, ...asOperator].sort());
  });

  it("sends events recorded since the endpoint was created, also while no gateway ran", async () => {
    await world.record(5);
    await world.addEndpoint(receiver.url);
    const missed = await world.record(5);
    world.deliver();
    await untilReceived(5);
    expect([...receiver.ids()].sort()).toEqual([...missed].sort());
  });

  it("signs with the key that the owner sees, so that the receiver can verify", async () => {
    const { endpointId } = await world.addEndpoint(receiver.url);
    world.deliver();
    await world.record(1);
    await untilReceived(1);
    const [received] = receiver.received;
    const { publicKey } = deriveWebhookKey(derivationKey, endpointId, 1);
    // The library uses the system clock; the one here is manual.
    const timestamp = Math.floor(world.timers.now() / 1000);
    expect(received?.headers).toMatchObject({ "webhook-timestamp": String(timestamp), "content-type": "application/cloudevents+json" });
    expect(() => verifyDelivery({ headers: received?.headers ?? {}, body: received?.body ?? "" }, publicKey)).toThrow(/timestamp too/);
  });

  it("keeps the order of events about one reservation, and does not wait for others", async () => {
    await world.addEndpoint(receiver.url);
    const held: (() => void)[] = [];
    receiver.answer((response, { body }) => {
      if (body.includes("res_slow")) held.push(() => response.writeHead(204).end());
      else response.writeHead(204).end();
    });
    const slow = await world.record(2, { reservationId: "res_slow" });
    const others = await world.record(6);
    world.deliver();
    await expect.poll(() => receiver.received.length).toBe(7);
    expect(receiver.ids()).toEqual(expect.arrayContaining([slow[0], ...others]));
    held[0]?.();
    await expect.poll(() => receiver.received.length).toBe(8);
    expect(receiver.ids()[7]).toBe(slow[1]);
    held[1]?.();
  });

  it("has at most four concurrent attempts to one endpoint", async () => {
    await world.addEndpoint(receiver.url);
    const release = Promise.withResolvers<void>();
    receiver.answer((response) => void release.promise.then(() => response.writeHead(204).end()));
    await world.record(30);
    world.deliver();
    await expect.poll(() => receiver.open.now).toBe(4);
    release.resolve();
    await untilReceived(30);
    expect(receiver.open.most).toBe(4);
  });

  it("sends only the types in the filter", async () => {
    await world.addEndpoint(receiver.url, { eventTypes: [EventType.PARCEL_DEPOSITED] });
    world.deliver();
    await world.record(3);
    const wanted = await world.record(1, { type: EventType.PARCEL_DEPOSITED });
    await untilReceived(1);
    expect(receiver.ids()).toEqual(wanted);
  });
});

describe("an event that is not accepted", () => {
  it("is sent again after each delay of the schedule, the same bytes under the same id, and given up after the last", async () => {
    const endpoint = await world.addEndpoint(receiver.url);
    answerAll(500);
    world.deliver();
    const [id] = await world.record(1);
    for (const [index, delayMs] of backoffScheduleMs.entries()) {
      if (index > 0) {
        await untilRetryIsDue(endpoint);
        world.timers.advance(delayMs * 1.1 + 1);
      }
      await untilReceived(index + 1);
    }
    expect(new Set(receiver.ids())).toEqual(new Set([id]));
    expect(new Set(receiver.received.map(({ body }) => body)).size).toBe(1);
    const stamps = receiver.received.map(({ headers }) => Number(headers["webhook-timestamp"]));
    expect(stamps).toEqual([...new Set(stamps)].sort((a, b) => a - b));
    await expect.poll(() => world.health(endpoint)).toMatchObject({ abandoned: 1, disabledMs: world.timers.now() });
    expect((await world.records.deliveries.pending(endpoint.endpointId)).count).toBe(0);
  });

  it("does not delay later events", async () => {
    await world.addEndpoint(receiver.url);
    receiver.answer((response, { body }) => void response.writeHead(body.includes("res_bad") ? 500 : 204).end());
    const [bad] = await world.record(1, { reservationId: "res_bad" });
    world.deliver();
    await untilReceived(1);
    const later = await world.record(5);
    await untilReceived(6);
    expect(receiver.ids()).toEqual(expect.arrayContaining([bad, ...later]));
  });

  it("is sent again after the time in Retry-After", async () => {
    const endpoint = await world.addEndpoint(receiver.url);
    receiver.answer((response) => void response.writeHead(503, { "retry-after": "3600" }).end());
    world.deliver();
    await world.record(1);
    await untilReceived(1);
    const dueMs = world.timers.now() + 3_600_000;
    await expect.poll(() => world.records.deliveries.pending(endpoint.endpointId)).toEqual({ count: 1, nextMs: dueMs });
  });

  it("is one of at most a thousand pending ones, beyond which new events wait in the feed", async () => {
    const endpoint = await world.addEndpoint(receiver.url);
    answerAll(500);
    const ids = await world.record(pendingMax + 30);
    world.deliver();
    await untilReceived(pendingMax);
    await expect.poll(async () => (await world.records.deliveries.pending(endpoint.endpointId)).count).toBe(pendingMax);
    answerAll(204);
    world.timers.advance(10_000);
    await untilReceived(2 * pendingMax + 30);
    expect(new Set(receiver.ids())).toEqual(new Set(ids));
  });

  it("because the endpoint responds with 410 disables it at once, with an alarm", async () => {
    const endpoint = await world.addEndpoint(receiver.url);
    answerAll(410);
    world.deliver();
    await world.record(1);
    await expect.poll(() => world.alarms()).toEqual([[EventType.WEBHOOK_ENDPOINT_DISABLED, endpoint.endpointId]]);
    await expect.poll(() => world.health(endpoint)).toMatchObject({ lastFailure: WebhookFailure.GONE, lastFailureStatus: 410 });
    await world.record(5);
    world.timers.advance(3_600_000);
    expect(receiver.received.length).toBe(1);
  });
});

describe("an endpoint that fails", () => {
  /** Makes three attempts fail over more than a minute. */
  async function letFail(endpoint: StoredWebhook): Promise<void> {
    await world.record(1);
    await untilReceived(1);
    await untilRetryIsDue(endpoint);
    world.timers.advance(10_000);
    await untilReceived(2);
    await untilRetryIsDue(endpoint);
    world.timers.advance(6 * minuteMs);
    await untilReceived(3);
  }

  it("raises one alarm for its owner, and none for a short failure", async () => {
    const endpoint = await world.addEndpoint(receiver.url);
    const other = await startReceiver();
    await world.addEndpoint(other.url, { eventTypes: [EventType.WEBHOOK_ENDPOINT_FAILING] });
    answerAll(500);
    world.deliver();
    await world.record(5);
    await untilReceived(5);
    // Five concurrent failures, as during a restart of the server.
    await expect.poll(() => world.health(endpoint)).toMatchObject({ consecutiveFailures: 5 });
    expect(await world.alarms()).toEqual([]);
    world.timers.advance(minuteMs);
    await expect.poll(() => world.alarms()).toEqual([[EventType.WEBHOOK_ENDPOINT_FAILING, endpoint.endpointId]]);
    // Another endpoint gets the alarm, the failing one does not.
    await untilReceived(1, other);
    expect(receiver.received.some(({ body }) => body.includes("WEBHOOK_ENDPOINT"))).toBe(false);
    world.timers.advance(6 * minuteMs);
    await expect.poll(async () => (await world.health(endpoint)).consecutiveFailures).toBeGreaterThan(10);
    expect((await world.alarms()).length).toBe(1);
  });

  it("gets one new event every five minutes, and the rest when it works again", async () => {
    const endpoint = await world.addEndpoint(receiver.url);
    answerAll(500);
    world.deliver();
    await letFail(endpoint);
    await expect.poll(() => world.alarms()).toEqual([[EventType.WEBHOOK_ENDPOINT_FAILING, endpoint.endpointId]]);
    const waiting = await world.record(10);
    world.timers.advance(5 * minuteMs);
    await untilReceived(4);
    expect(waiting).toContain(receiver.ids()[3]);
    answerAll(204);
    world.timers.advance(5 * minuteMs);
    await expect.poll(() => new Set(receiver.ids()).size).toBe(11);
    await expect.poll(async () => (await world.records.deliveries.pending(endpoint.endpointId)).count).toBe(0);
    expect(await world.health(endpoint)).toMatchObject({ consecutiveFailures: 0, failingSinceMs: undefined });
  });

  it.each([
    ["does not answer", () => undefined],
    ["hangs up", (response: { destroy(): void }) => response.destroy()],
  ] as const)("delays nobody else where it %s", async (_what, answer) => {
    const eventTypes = [EventType.RESERVATION_HELD];
    const dead = await startReceiver();
    dead.answer(answer);
    const endpoints = await Promise.all(Array.from({ length: 10 }, () => world.addEndpoint(dead.url, { eventTypes })));
    await world.addEndpoint(receiver.url, { eventTypes });
    // Fewer slots than the dead endpoints would take.
    world.deliver({ concurrency: 8 });
    await world.record(1);
    await expect
      .poll(
        async () => {
          world.timers.advance(1000);
          const failed = await Promise.all(endpoints.map(async (one) => (await world.health(one)).consecutiveFailures > 0));
          return failed.every((hasFailed) => hasFailed) && receiver.received.length === 1;
        },
        { interval: 5 },
      )
      .toBe(true);
    // The dead endpoints are known by now. The clock is stopped, so their attempts do not end.
    const more = await world.record(40);
    await untilReceived(41);
    expect(receiver.ids()).toEqual(expect.arrayContaining(more));
  });
});

describe("an owner of an endpoint", () => {
  it("pauses and resumes it, and no event is missed", async () => {
    const { endpointId } = await world.addEndpoint(receiver.url);
    const dispatcher = world.deliver();
    const first = await world.record(3);
    await untilReceived(3);
    await world.store.change(endpointId, { isPaused: true });
    dispatcher.wake(endpointId);
    const paused = await world.record(5);
    const other = await startReceiver();
    const witness = await world.addEndpoint(other.url);
    dispatcher.wake(witness.endpointId);
    await world.record(1, { reservationId: "res_witness" });
    await untilReceived(1, other);
    expect(receiver.ids().length).toBe(3);
    await world.store.change(endpointId, { isPaused: false });
    dispatcher.wake(endpointId);
    await untilReceived(9);
    expect(receiver.ids()).toEqual(expect.arrayContaining([...first, ...paused]));
  });

  it("deletes it, and nothing more is sent or stored", async () => {
    const endpoint = await world.addEndpoint(receiver.url);
    const dispatcher = world.deliver();
    answerAll(500);
    await world.record(1);
    await untilReceived(1);
    await world.store.change(endpoint.endpointId, { isPaused: true });
    await world.records.deliveries.remove(endpoint.endpointId);
    await world.store.remove(endpoint);
    dispatcher.wake(endpoint.endpointId);
    await world.record(3);
    world.timers.advance(minuteMs);
    await expect.poll(() => redis.client.keys(`${redis.keyPrefix}*whe_*`)).toEqual([]);
    expect(receiver.received.length).toBe(1);
  });

  it("replays events of a period while new ones are delivered", async () => {
    const endpoint = await world.addEndpoint(receiver.url);
    const dispatcher = world.deliver();
    const early = await world.record(3);
    await untilAllTaken(endpoint);
    world.timers.advance(60 * minuteMs);
    const fromMs = world.timers.now();
    const wanted = await world.record(45);
    await untilAllTaken(endpoint);
    world.timers.advance(60 * minuteMs);
    const late = await world.record(3);
    await untilReceived(51);
    const replay = replayAt("replay", { number: 0, range: { fromMs, toMs: fromMs + minuteMs } });
    await world.records.deliveries.addReplay(endpoint.endpointId, replay, 5);
    dispatcher.wake(endpoint.endpointId);
    await untilReceived(96);
    const again = receiver.ids().slice(51);
    expect([...again].sort()).toEqual([...wanted].sort());
    expect(again).not.toEqual(expect.arrayContaining([...early, ...late]));
    await expect.poll(() => world.records.deliveries.replays(endpoint.endpointId)).toEqual([]);
  });
});

describe("of two gateways", () => {
  it("one delivers to an endpoint, and the other continues when it stops, without gaps or duplicates", async () => {
    const { endpointId } = await world.addEndpoint(receiver.url);
    const first = world.deliver();
    const ids = await world.record(5);
    await untilReceived(5);
    const second = world.deliver();
    ids.push(...(await world.record(5)));
    await untilReceived(10);
    await first.stop(60_000);
    ids.push(...(await world.record(5)));
    await untilTakenOver(second, endpointId, () => receiver.received.length >= 15);
    await untilReceived(15);
    expect([...receiver.ids()].sort()).toEqual([...ids].sort());
  });

  it("the other takes over when one dies, and deliveries in flight are sent again", async () => {
    const { endpointId } = await world.addEndpoint(receiver.url);
    // A gateway that acquired the lease and died.
    expect(await world.records.deliveries.lease(endpointId, "the dead", 400)).toBe("acquired");
    const ids = await world.record(5);
    await untilTakenOver(world.deliver(), endpointId, () => receiver.received.length > 0);
    await untilReceived(5);
    expect([...receiver.ids()].sort()).toEqual([...ids].sort());
    expect(await world.records.deliveries.commit(endpointId, "the dead", { fields: { cursor: "" } })).toBe(false);
  });

  it("one that stops in the middle of a batch leaves the rest to the other", async () => {
    await world.addEndpoint(receiver.url);
    receiver.answer(() => undefined);
    const ids = await world.record(20);
    const first = world.deliver();
    await expect.poll(() => receiver.open.now).toBe(4);
    const stopped = first.stop(0);
    await stopped;
    answerAll(204);
    world.deliver();
    // The four attempts in flight got no response and are sent again.
    await expect.poll(() => new Set(receiver.ids()).size).toBe(20);
    await untilReceived(24);
    expect(new Set(receiver.ids())).toEqual(new Set(ids));
  });
});
