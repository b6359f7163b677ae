import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { timestampDate, timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { verifyWebhook } from "@petak/examples/verify-webhook";
import { CancellationReason, EventType, EventTypeSchema, Mode, Role, reasonOf, WebhookFailure, WebhookState } from "@petak/protocol";
import { makeSite, useRedis } from "@petak/testkit";
import { startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { HTTP } from "cloudevents";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { nowhereUrl } from "../testing/good-requests.ts";

const redis = useRedis();
const origin = { latitude: 1.3, longitude: 103.8 };
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
let network: TestNetwork;
let operator: TestParticipant;
let siteId: string;

beforeAll(async () => {
  network = await startTestNetwork({ redis });
  operator = await network.join("Operator", [Role.OPERATOR]);
  siteId = await network.putSite(operator, makeSite({ ...origin, classes: [["M", 400, 200, 500, 20_000, 100]] }));
});
afterAll(() => network.stop());

/** A delivery as received by a courier's server. */
interface Received {
  headers: IncomingHttpHeaders;
  body: string;
}

/** A courier's server, which responds with a configurable status. */
async function startServer(): Promise<{ url: string; received: Received[]; answer(status: number): void }> {
  const received: Received[] = [];
  let status = 204;
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      received.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
      response.writeHead(status).end(status === 204 ? undefined : "out of order");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/petak`,
    received,
    answer: (next) => {
      status = next;
    },
  };
}

/** A new courier with an endpoint. */
async function joinWithEndpoint(url: string, mode = Mode.TEST) {
  const courier = await network.join("Courier", [Role.COURIER], mode);
  const { webhooks } = courier.client;
  const { endpoint } = await webhooks.createEndpoint({ requestId: randomUUID(), url });
  const endpointId = endpoint?.endpointId ?? "";
  return {
    courier,
    webhooks,
    endpointId,
    get: async () => (await webhooks.getEndpoint({ endpointId })).endpoint,
    reserve: async () => {
      const place = { case: "siteId", value: siteId } as const;
      const { reservation } = await courier.client.reservations.reserve({ requestId: randomUUID(), place, parcel });
      return reservation?.reservationId ?? "";
    },
    cancel: (reservationId: string) =>
      courier.client.reservations.cancel({ requestId: randomUUID(), reservationId, reason: CancellationReason.OTHER }),
  };
}

/** A delivery, verified as the guide says and parsed with the SDK. */
function read({ headers, body }: Received, publicKeys: readonly string[]) {
  verifyWebhook(publicKeys, headers, body);
  const event = HTTP.toEvent<Record<string, unknown>>({ headers: headers as Record<string, string>, body });
  if (Array.isArray(event)) throw new Error("a batch");
  return event;
}

describe("a courier's endpoint", () => {
  it("receives each event of its courier, equal to that of ListEvents", async () => {
    const server = await startServer();
    const { courier, webhooks, endpointId, get, reserve, cancel } = await joinWithEndpoint(server.url);
    const made = await get();
    expect(made).toMatchObject({
      endpointId: expect.stringMatching(/^whe_test_[0-9a-z]{16}$/),
      url: server.url,
      state: WebhookState.ACTIVE,
    });
    expect(made?.verifiedAt).toBeUndefined();
    const reservationId = await reserve();
    await cancel(reservationId);
    await expect.poll(() => server.received.length).toBe(2);
    const publicKeys = made?.keys.map(({ publicKey }) => publicKey) ?? [];
    const deliveries = server.received.map((one) => read(one, publicKeys));
    const { events } = await courier.client.custody.listEvents({});
    expect(deliveries.map(({ id, type, subject, time }) => ({ id, type, subject, time }))).toEqual(
      events.map(({ eventId, type, reservationId: subject, occurredAt }) => ({
        id: eventId,
        type: `petak.v1.${EventTypeSchema.value[type]?.localName}`,
        subject,
        time: occurredAt === undefined ? "" : timestampDate(occurredAt).toISOString(),
      })),
    );
    expect(deliveries.map(({ data }) => data)).toMatchObject([
      { reservationId, siteId, state: "RESERVATION_STATE_HELD", isTest: true },
      { reservationId, siteId, state: "RESERVATION_STATE_CANCELLED", reservationRevision: 2 },
    ]);
    await expect
      .poll(async () => (await webhooks.getEndpoint({ endpointId })).endpoint?.health)
      .toMatchObject({ consecutiveFailures: 0, pendingRetries: 0, lag: { seconds: 0n }, lastSuccessAt: expect.anything() });
    await webhooks.deleteEndpoint({ requestId: randomUUID(), endpointId });
    expect((await webhooks.listEndpoints({})).endpoints).toEqual([]);
  });

  it("starts at the cursor given, so that no event is missed", async () => {
    const server = await startServer();
    const { courier, webhooks, reserve } = await joinWithEndpoint(nowhereUrl);
    await reserve();
    const { nextCursor: cursor } = await courier.client.custody.listEvents({});
    const reservationId = await reserve();
    await webhooks.createEndpoint({ requestId: randomUUID(), url: server.url, cursor });
    await expect.poll(() => server.received.length).toBe(1);
    expect(JSON.parse(server.received[0]?.body ?? "")).toMatchObject({ subject: reservationId });
  });

  it("is tested at once, and stays verified while its URL does not change", async () => {
    const server = await startServer();
    const { webhooks, endpointId, get } = await joinWithEndpoint(server.url);
    server.answer(503);
    const refused = await webhooks.testEndpoint({ requestId: randomUUID(), endpointId });
    expect(refused).toMatchObject({ delivered: false, failure: WebhookFailure.SERVER_ERROR, status: 503, responseExcerpt: "out of order" });
    expect(refused.endpoint?.verifiedAt).toBeUndefined();
    server.answer(204);
    const requestId = randomUUID();
    const taken = await webhooks.testEndpoint({ requestId, endpointId });
    expect(taken).toMatchObject({ delivered: true, failure: WebhookFailure.UNSPECIFIED, status: 204 });
    expect(taken.endpoint?.verifiedAt).toBeDefined();
    expect(await webhooks.testEndpoint({ requestId, endpointId })).toEqual(taken);
    expect(server.received.length).toBe(2);
    const endpoint = await get();
    const event = read(server.received[1] as Received, endpoint?.keys.map(({ publicKey }) => publicKey) ?? []);
    expect(event).toMatchObject({ type: "petak.v1.WEBHOOK_TEST", id: taken.eventId, data: { webhookEndpointId: endpointId } });
    const moved = await webhooks.updateEndpoint({ requestId: randomUUID(), endpointId, url: `${server.url}/elsewhere` });
    expect(moved.endpoint?.verifiedAt).toBeUndefined();
  });

  it("gets a new key, and the old one signs as well until the overlap has ended", async () => {
    const server = await startServer();
    const { webhooks, endpointId, get, reserve } = await joinWithEndpoint(server.url);
    const [old] = (await get())?.keys ?? [];
    const requestId = randomUUID();
    const rotate = () => webhooks.rotateEndpointKey({ requestId, endpointId, overlap: { seconds: 3600n } });
    const { endpoint } = await rotate();
    expect(await rotate()).toMatchObject({ endpoint: { keys: endpoint?.keys } });
    const [fresh, former] = endpoint?.keys ?? [];
    expect([fresh?.number, former?.publicKey]).toEqual([2, old?.publicKey]);
    await reserve();
    await expect.poll(() => server.received.length).toBe(1);
    const [received] = server.received as [Received];
    for (const key of [fresh, former]) expect(read(received, [key?.publicKey ?? ""]).type).toBe("petak.v1.RESERVATION_HELD");
    const now = await webhooks.rotateEndpointKey({ requestId: randomUUID(), endpointId, overlap: { seconds: 0n } });
    expect(now.endpoint?.keys.map(({ number }) => number)).toEqual([3, 1]);
  });

  it("is paused and resumed, and then receives the events of the pause", async () => {
    const server = await startServer();
    const { webhooks, endpointId, get, reserve } = await joinWithEndpoint(server.url);
    await webhooks.updateEndpoint({ requestId: randomUUID(), endpointId, paused: true });
    const reservationId = await reserve();
    await expect.poll(get).toMatchObject({ state: WebhookState.PAUSED });
    await expect.poll(async () => Number((await get())?.health?.lag?.nanos ?? 0)).toBeGreaterThan(0);
    expect(server.received).toEqual([]);
    await webhooks.updateEndpoint({ requestId: randomUUID(), endpointId, paused: false });
    await expect.poll(() => server.received.length).toBe(1);
    expect(JSON.parse(server.received[0]?.body ?? "")).toMatchObject({ subject: reservationId });
  });

  it("gets events of a period, or after a cursor, replayed under their former ids", async () => {
    const server = await startServer();
    const { courier, webhooks, endpointId, get, reserve } = await joinWithEndpoint(server.url);
    await reserve();
    const { nextCursor: cursor, events } = await courier.client.custody.listEvents({});
    await reserve();
    await expect.poll(() => server.received.length).toBe(2);
    const ids = () => server.received.map(({ headers }) => headers["webhook-id"]);
    const [first, second] = ids();
    const recordedMs = events[0]?.recordedAt === undefined ? 0 : timestampMs(events[0].recordedAt);
    await webhooks.replayEvents({ requestId: randomUUID(), endpointId, cursor });
    await expect.poll(ids).toEqual([first, second, second]);
    const range = { from: timestampFromMs(recordedMs), to: timestampFromMs(recordedMs + 1) };
    await webhooks.replayEvents({ requestId: randomUUID(), endpointId, ...range });
    await expect.poll(() => ids().slice(3)).toContain(first);
    await expect.poll(get).toMatchObject({ health: { openReplays: 0 } });
  });

  it("that answers 410 is disabled, which its owner sees in the feed, until its owner resumes it", async () => {
    const server = await startServer();
    const { courier, webhooks, endpointId, get, reserve } = await joinWithEndpoint(server.url);
    server.answer(410);
    const reservationId = await reserve();
    await expect.poll(get).toMatchObject({
      state: WebhookState.DISABLED,
      health: { lastFailure: WebhookFailure.GONE, lastFailureStatus: 410 },
    });
    const { events } = await courier.client.custody.listEvents({});
    expect(events.map(({ type, webhookEndpointId }) => [type, webhookEndpointId])).toEqual([
      [EventType.RESERVATION_HELD, ""],
      [EventType.WEBHOOK_ENDPOINT_DISABLED, endpointId],
    ]);
    expect((await operator.client.custody.listEvents({})).events.some((event) => event.webhookEndpointId === endpointId)).toBe(false);
    server.answer(204);
    await webhooks.updateEndpoint({ requestId: randomUUID(), endpointId, paused: false });
    await expect.poll(get).toMatchObject({ state: WebhookState.ACTIVE, health: { pendingRetries: 0 } });
    await expect
      .poll(() => server.received.map(({ body }) => (JSON.parse(body) as { subject: string }).subject))
      .toEqual([reservationId, reservationId]);
  });
});

describe("a change of endpoints", () => {
  it("is made once, however often the request is repeated", async () => {
    const courier = await network.join("Courier", [Role.COURIER]);
    const { webhooks } = courier.client;
    const request = { requestId: randomUUID(), url: nowhereUrl };
    const [one, two] = await Promise.all([webhooks.createEndpoint(request), webhooks.createEndpoint(request)]);
    expect(two).toEqual(one);
    const endpointId = one.endpoint?.endpointId ?? "";
    await webhooks.updateEndpoint({ requestId: randomUUID(), endpointId, label: "changed" });
    expect(await webhooks.createEndpoint(request)).toEqual(one);
    const { endpoint: unchanged } = await webhooks.updateEndpoint({ requestId: randomUUID(), endpointId });
    expect(unchanged?.label).toBe("changed");
    const removal = { requestId: randomUUID(), endpointId };
    await webhooks.deleteEndpoint(removal);
    await webhooks.deleteEndpoint(removal);
    const again = webhooks.deleteEndpoint({ requestId: randomUUID(), endpointId });
    expect(reasonOf(await again.catch((error: unknown) => error))).toBe("WEBHOOK_ENDPOINT_NOT_FOUND");
  });

  it.each([
    "https://169.254.169.254/latest/meta-data",
    "https://10.0.0.1/",
    "https://[fd00:ec2::254]/",
    "https://[::ffff:10.0.0.1]/",
    "https://user@hooks.example/",
    "ftp://hooks.example/",
  ])("is refused for the address %s", async (url) => {
    const made = operator.client.webhooks.createEndpoint({ requestId: randomUUID(), url });
    expect(reasonOf(await made.catch((error: unknown) => error))).toBe("INVALID_FIELD");
  });

  it("is not visible in the other network", async () => {
    const { courier, endpointId } = await joinWithEndpoint(nowhereUrl);
    const live = await network.withMode(courier, Mode.LIVE);
    expect((await live.client.webhooks.listEndpoints({})).endpoints).toEqual([]);
    const got = live.client.webhooks.getEndpoint({ endpointId });
    expect(reasonOf(await got.catch((error: unknown) => error))).toBe("WEBHOOK_ENDPOINT_NOT_FOUND");
  });
});
