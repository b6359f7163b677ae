import { randomUUID } from "node:crypto";
import { toJson } from "@bufbuild/protobuf";
import { timestampDate, timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { CancellationReason, CorrectionReason, type Event, EventSchema, EventType, Mode, Role, reasonOf } from "@petak/protocol";
import { createFrozenClock, createTempDir, type FrozenClock, makeSite, onThisMachine, useRedis } from "@petak/testkit";
import { startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { CloudEvent } from "cloudevents";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";

const redis = useRedis();
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const minuteMs = 60_000;
let clock: FrozenClock;
let network: TestNetwork;
let operator: TestParticipant;
let courier: TestParticipant;
let siteId: string;
let dataDir: string;

beforeEach(async () => {
  const directory = await createTempDir();
  dataDir = directory.path;
  clock = createFrozenClock(Date.parse("2026-11-25T01:00:00Z"));
  network = await start();
  operator = await network.join("Operator", [Role.OPERATOR]);
  courier = await network.join("Courier", [Role.COURIER]);
  const site = makeSite({ latitude: 1.3, longitude: 103.8, classes: [["M", 400, 200, 500, 20_000, 100]] });
  site.timeZone = "Asia/Singapore";
  siteId = await network.putSite(operator, site);
  onTestFinished(() => directory.remove());
});

/** Starts another gateway over the same store. Stopped with the test. */
async function start(): Promise<TestNetwork> {
  const started = await startTestNetwork({ redis, now: clock.now, dataDir, holdsSitePercent: 100 });
  onTestFinished(() => started.stop());
  return started;
}

async function hold(): Promise<string> {
  const place = { case: "siteId", value: siteId } as const;
  const { reservation } = await courier.client.reservations.reserve({ requestId: randomUUID(), place, parcel });
  return reservation?.reservationId ?? "";
}

const numbersOf = (events: readonly Event[]) => events.map(({ feedNumber }) => Number(feedNumber));

describe("a participant's feed", () => {
  it("has the participant's events under its own numbers, independent of the other party's", async () => {
    const mine = [await hold(), await hold()];
    const other = await network.join("Other", [Role.COURIER]);
    const place = { case: "siteId", value: siteId } as const;
    await other.client.reservations.reserve({ requestId: randomUUID(), place, parcel });
    await courier.client.reservations.cancel({ requestId: randomUUID(), reservationId: mine[0] ?? "", reason: CancellationReason.OTHER });
    const own = await courier.client.custody.listEvents({});
    expect(own.events.map(({ reservationId }) => reservationId)).toEqual([mine[0], mine[1], mine[0]]);
    expect(numbersOf(own.events)).toEqual([1, 2, 3]);
    expect(numbersOf((await operator.client.custody.listEvents({})).events)).toEqual([1, 2, 3, 4]);
    expect(numbersOf((await other.client.custody.listEvents({})).events)).toEqual([1]);
    const live = await network.withMode(courier, Mode.LIVE);
    // In the live network there is nothing but the key itself.
    expect((await live.client.custody.listEvents({})).events.map(({ type }) => type)).toEqual([EventType.KEY_REGISTERED]);
    // Its cursor is short, and valid for nobody else.
    expect(own.nextCursor.length).toBe(31);
    for (const { client } of [operator, live]) {
      expect(reasonOf(await client.custody.listEvents({ cursor: own.nextCursor }).catch((error: unknown) => error))).toBe("CURSOR_INVALID");
    }
  });

  it("contains acknowledged events at every gateway", async () => {
    const second = (await start()).clientFor(courier.signer);
    const reading = [];
    for (let count = 1; count <= 60; count++) {
      const reservationId = await hold();
      const { events } = await second.custody.listEvents({ pageSize: 1000 });
      reading.push(events.at(-1)?.reservationId === reservationId && events.length === count);
    }
    expect(reading).toEqual(Array.from({ length: 60 }, () => true));
  });

  it("is replayed by numbers and by times, in pages, and watched from a number", async () => {
    for (let count = 0; count < 10; count++) {
      await hold();
      clock.advance(minuteMs);
    }
    const { custody } = courier.client;
    const all = (await custody.listEvents({})).events;
    const read = async (range: Parameters<typeof custody.listEvents>[0]["range"]) => {
      const numbers: number[] = [];
      for (let cursor = ""; ; ) {
        const page = await custody.listEvents(cursor === "" ? { range, pageSize: 2 } : { cursor, pageSize: 2 });
        numbers.push(...numbersOf(page.events));
        if (!page.hasMore) return numbers;
        cursor = page.nextCursor;
      }
    };
    const timeOf = (number: number) => all[number - 1]?.recordedAt ?? timestampFromMs(0);
    expect(await read({ fromNumber: 3n, toNumber: 7n })).toEqual([3, 4, 5, 6, 7]);
    expect(await read({ from: timeOf(4), to: timeOf(9) })).toEqual([4, 5, 6, 7, 8]);
    expect(await read({ from: timeOf(4), toNumber: 5n })).toEqual([4, 5]);
    expect(await read({ fromNumber: 11n })).toEqual([]);
    // A range has an end, so the call does not wait for more events.
    const startMs = performance.now();
    expect((await custody.listEvents({ range: { fromNumber: 11n }, wait: { seconds: 20n } })).events).toEqual([]);
    expect(performance.now() - startMs).toBeLessThan(onThisMachine(10_000));
    const stream = custody.watchEvents({ fromNumber: 9n })[Symbol.asyncIterator]();
    expect(numbersOf((await stream.next()).value.events)).toEqual([9, 10]);
    await stream.return?.();
    for (const wrong of [
      { fromNumber: 3n, toNumber: 2n },
      { from: timeOf(4), to: timeOf(3) },
    ]) {
      expect(reasonOf(await custody.listEvents({ range: wrong }).catch((error: unknown) => error))).toBe("INVALID_FIELD");
    }
    const both = { fromNow: true, range: { fromNumber: 1n } };
    expect(reasonOf(await custody.listEvents(both).catch((error: unknown) => error))).toBe("INVALID_FIELD");
    expect(
      reasonOf(
        await custody
          .watchEvents({ fromNumber: 12n })
          [Symbol.asyncIterator]()
          .next()
          .catch((error: unknown) => error),
      ),
    ).toBe("CURSOR_INVALID");
  });

  it("describes each event as a CloudEvent that the SDK accepts, with the UTC offset of the site's clock", async () => {
    const reservationId = await hold();
    const [event] = (await courier.client.custody.listEvents({})).events;
    if (event?.cloudEvent === undefined || event.occurredAt === undefined) throw new Error("no event");
    const { $typeName: _, $unknown: __, ...attributes } = event.cloudEvent;
    const found = new CloudEvent({ ...attributes, data: toJson(EventSchema, event) });
    expect(found.validate()).toBe(true);
    expect(attributes).toEqual({
      specversion: "1.0",
      id: event.eventId,
      source: "urn:petak:gateway:petak-test",
      type: "petak.v1.RESERVATION_HELD",
      subject: reservationId,
      time: timestampDate(event.occurredAt).toISOString(),
      dataschema: "urn:petak:v1:Event",
      sequence: "0000000000000001",
    });
    expect(event.occurredAtUtcOffset?.seconds).toBe(8n * 3600n);
    const chain = await courier.client.custody.getCustodyChain({ reservationId });
    expect(chain.events[0]).toMatchObject({
      feedNumber: 0n,
      cloudEvent: { id: event.eventId, sequence: "" },
      occurredAtUtcOffset: { seconds: 28_800n },
    });
  });
});

describe("CorrectEvents", () => {
  const correct = async (
    reservationId: string,
    more: { eventIds: string[]; occurredAt?: ReturnType<typeof timestampFromMs>; requestId?: string },
  ) =>
    (await operator.client.custody.correctEvents({ requestId: randomUUID(), reservationId, reason: CorrectionReason.WRONG_TIME, ...more }))
      .event;

  it("adds one event that names the wrong ones, for both parties, and changes nothing else", async () => {
    const reservationId = await hold();
    const { reservation: before, events: wrong } = await courier.client.custody.getCustodyChain({ reservationId });
    clock.advance(minuteMs);
    const request = {
      requestId: randomUUID(),
      eventIds: wrong.map(({ eventId }) => eventId),
      occurredAt: timestampFromMs(clock.now() - minuteMs),
    };
    const event = await correct(reservationId, request);
    expect(await correct(reservationId, request)).toEqual(event);
    expect(event).toMatchObject({
      type: EventType.EVENTS_CORRECTED,
      actor: { participantId: operator.participantId },
      correction: { eventIds: request.eventIds, reason: CorrectionReason.WRONG_TIME, occurredAt: request.occurredAt },
    });
    expect(event?.stateBefore).toBe(event?.stateAfter);
    const { reservation, events } = await courier.client.custody.getCustodyChain({ reservationId });
    expect(reservation?.state).toBe(before?.state);
    expect(events).toEqual([...wrong, event]);
    for (const { client } of [operator, courier]) {
      expect((await client.custody.listEvents({})).events.map(({ eventId }) => eventId)).toEqual(events.map(({ eventId }) => eventId));
    }
    // A wrong correction can itself be corrected.
    const again = await correct(reservationId, { eventIds: [event?.eventId ?? ""] });
    expect(again?.correction?.eventIds).toEqual([event?.eventId]);
    expect(timestampMs(again?.recordedAt ?? timestampFromMs(0))).toBe(clock.now());
  });

  it("refuses events of another reservation, one time for several events, and a future time", async () => {
    const [reservationId, other] = [await hold(), await hold()];
    await courier.client.reservations.confirm({ requestId: randomUUID(), reservationId });
    const idsOf = async (id: string) =>
      (await courier.client.custody.getCustodyChain({ reservationId: id })).events.map(({ eventId }) => eventId);
    const [own, others] = [await idsOf(reservationId), await idsOf(other)];
    const reason = async (more: Parameters<typeof correct>[1]) =>
      reasonOf(await correct(reservationId, more).catch((error: unknown) => error));
    expect(await reason({ eventIds: [...own, ...others] })).toBe("EVENT_NOT_FOUND");
    expect(await reason({ eventIds: own, occurredAt: timestampFromMs(clock.now()) })).toBe("INVALID_FIELD");
    expect(await reason({ eventIds: own.slice(0, 1), occurredAt: timestampFromMs(clock.now() + 1) })).toBe("INVALID_FIELD");
    expect(await reason({ eventIds: [own[0] ?? "", own[0] ?? ""] })).toBe("INVALID_FIELD");
    expect((await idsOf(reservationId)).length).toBe(own.length);
  });
});
