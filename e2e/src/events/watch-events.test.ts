import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { ConnectError } from "@connectrpc/connect";
import { CancellationReason, EventType, fromConnectError, Mode, Role, reasonOf, type WatchEventsResponse } from "@petak/protocol";
import { makeSite, useRedis } from "@petak/testkit";
import { startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { beforeEach, describe, expect, it } from "vitest";

const redis = useRedis();
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const origin = { latitude: 1.3, longitude: 103.8 };
let network: TestNetwork;
let operator: TestParticipant;
let courier: TestParticipant;

beforeEach(async () => {
  network = await startTestNetwork({ redis, holdsSitePercent: 100 });
  operator = await network.join("Operator", [Role.OPERATOR]);
  courier = await network.join("Courier", [Role.COURIER]);
  await network.putSite(operator, makeSite({ ...origin, classes: [["M", 400, 200, 500, 20_000, 20]] }));
  return () => network.stop();
});

async function reserve(): Promise<string> {
  const place = { case: "nearest" as const, value: { origin } };
  const { reservation } = await courier.client.reservations.reserve({ requestId: randomUUID(), place, parcel });
  return reservation?.reservationId ?? "";
}

/** Reads messages of a stream until this many events have arrived. */
async function takeEvents(stream: AsyncIterator<WatchEventsResponse>, count: number) {
  const events: { type: EventType; reservationId: string }[] = [];
  let cursor = "";
  while (events.length < count) {
    const { value, done } = await stream.next();
    if (done === true) break;
    cursor = value.cursor;
    events.push(...value.events.map(({ type, reservationId }) => ({ type, reservationId })));
  }
  return { events, cursor };
}

describe.each(["connect", "grpc", "grpc-web"] as const)("events over %s", (protocol) => {
  it("reach a watcher as they happen, and continue from the last cursor after a disconnect", async () => {
    const watcher = network.clientFor(courier.signer, { protocol });
    const leaving = new AbortController();
    const stream = watcher.custody.watchEvents({ fromNow: true }, { signal: leaving.signal })[Symbol.asyncIterator]();
    const { value: first } = await stream.next();
    expect(first.events).toEqual([]);
    const reservationId = await reserve();
    const { events, cursor } = await takeEvents(stream, 1);
    expect(events).toEqual([{ type: EventType.RESERVATION_HELD, reservationId }]);
    leaving.abort();
    await stream.next().catch(() => undefined);

    await courier.client.reservations.cancel({ requestId: randomUUID(), reservationId, reason: CancellationReason.OTHER });
    const again = watcher.custody.watchEvents({ cursor })[Symbol.asyncIterator]();
    expect((await takeEvents(again, 1)).events).toEqual([{ type: EventType.RESERVATION_CANCELLED, reservationId }]);
    await again.return?.();
  });
});

describe("events", () => {
  it("reach the parties and nobody else, whether watched or listed", async () => {
    const stranger = await network.join("Stranger", [Role.COURIER]);
    const streams = [operator, stranger].map(({ client }) => client.custody.watchEvents({})[Symbol.asyncIterator]());
    const reservationId = await reserve();
    expect((await takeEvents(streams[0] as AsyncIterator<WatchEventsResponse>, 1)).events).toEqual([
      { type: EventType.RESERVATION_HELD, reservationId },
    ]);
    const { value } = await (streams[1] as AsyncIterator<WatchEventsResponse>).next();
    expect(value.events).toEqual([]);
    expect((await stranger.client.custody.listEvents({ wait: { seconds: 0n, nanos: 300_000_000 } })).events).toEqual([]);
    for (const stream of streams) await stream.return?.();
  });

  it("are each listed once for any page size", async () => {
    for (let index = 0; index < 12; index++) await reserve();
    const { events: all } = await courier.client.custody.listEvents({ pageSize: 1000 });
    expect(all.length).toBe(12);
    const paged: string[] = [];
    let cursor = "";
    let hasMore = true;
    while (hasMore) {
      const page = await courier.client.custody.listEvents({ cursor, pageSize: 5 });
      paged.push(...page.events.map(({ eventId }) => eventId));
      cursor = page.nextCursor;
      hasMore = page.hasMore;
    }
    expect(paged).toEqual(all.map(({ eventId }) => eventId));
    expect(new Set(paged).size).toBe(12);
  });

  it("end with KEY_REVOKED in a stream and a long poll whose key is revoked, before any further event is sent", async () => {
    const spy = await network.withMode(courier, Mode.TEST);
    const stream = spy.client.custody.watchEvents({ fromNow: true })[Symbol.asyncIterator]();
    await stream.next();
    const seen: EventType[] = [];
    const note = ({ events }: { events: readonly { type: EventType }[] }) => void seen.push(...events.map(({ type }) => type));
    const poll = async (place: { fromNow: true } | { cursor: string }): Promise<never> => {
      const page = await spy.client.custody.listEvents({ ...place, wait: { seconds: 20n, nanos: 0 } });
      note(page);
      return await poll({ cursor: page.nextCursor });
    };
    const polling = poll({ fromNow: true }).catch((error: unknown) => error);
    await expect.poll(() => network.inFlight()).toEqual({ unary: 1, stream: 1 });
    await courier.client.participants.revokeKey({ requestId: randomUUID(), keyId: spy.signer.keyId });
    const read = async (): Promise<never> => {
      note((await stream.next()).value);
      return await read();
    };
    const streaming = read().catch((error: unknown) => error);
    await reserve();
    expect([reasonOf(await streaming), reasonOf(await polling)]).toEqual(["KEY_REVOKED", "KEY_REVOKED"]);
    // The event of the revocation itself is recorded before it.
    expect(seen.filter((type) => type !== EventType.KEY_REVOKED)).toEqual([]);
  });

  it("can be awaited by 16 calls of a participant at once: a further call returns at once, and other callers are served", async () => {
    const wait = { seconds: 20n, nanos: 0 };
    const leaving = new AbortController();
    const poll = () => courier.client.custody.listEvents({ fromNow: true, wait }, { signal: leaving.signal });
    const waiting = Array.from({ length: 16 }, () => poll().catch(() => undefined));
    await expect.poll(async () => (await network.inFlight()).unary).toBe(16);
    // It is not visible whether all sixteen wait already; further calls return at once as soon as they do.
    await expect.poll(async () => await Promise.race([poll().then(({ events }) => events), pause(100)])).toEqual([]);
    expect((await operator.client.directory.findNearest({ origin, parcel })).options.length).toBe(1);
    leaving.abort();
    await Promise.all(waiting);
  });

  it("can be streamed 16 times to a participant at once: a further stream is RATE_LIMITED until one has ended", async () => {
    const watcher = network.clientFor(courier.signer, { retry: false }).custody;
    const open = (signal: AbortSignal) => watcher.watchEvents({ fromNow: true }, { signal })[Symbol.asyncIterator]().next();
    const [one, others] = [new AbortController(), new AbortController()];
    await Promise.all([open(one.signal), ...Array.from({ length: 15 }, () => open(others.signal))]);
    const refused = await open(others.signal).catch((error: unknown) => error);
    expect(reasonOf(refused)).toBe("RATE_LIMITED");
    expect(fromConnectError(ConnectError.from(refused))?.retryAfterMs).toBe(5000);
    one.abort();
    await expect.poll(async () => (await network.inFlight()).stream).toBe(15);
    expect((await open(others.signal)).value.events).toEqual([]);
    others.abort();
  });

  it("of a chain are visible to its parties only", async () => {
    const stranger = await network.join("Stranger", [Role.COURIER]);
    const reservationId = await reserve();
    expect((await courier.client.custody.getCustodyChain({ reservationId })).events.map(({ type }) => type)).toEqual([
      EventType.RESERVATION_HELD,
    ]);
    const refused = await stranger.client.custody.getCustodyChain({ reservationId }).catch((error: unknown) => error);
    expect(reasonOf(refused)).toBe("RESERVATION_NOT_FOUND");
  });

  it("end with SHUTTING_DOWN when the gateway stops, and a long poll gets a response", async () => {
    const stream = courier.client.custody.watchEvents({})[Symbol.asyncIterator]();
    await stream.next();
    const polling = courier.client.custody.listEvents({ wait: { seconds: 20n, nanos: 0 } });
    const streaming = stream.next().catch((error: unknown) => error);
    await expect.poll(() => network.inFlight()).toEqual({ unary: 1, stream: 1 });
    await network.gateway.stop();
    expect(reasonOf(await streaming)).toBe("SHUTTING_DOWN");
    expect((await polling).events).toEqual([]);
  });
});
