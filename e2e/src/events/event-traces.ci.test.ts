import { randomUUID } from "node:crypto";
import { CancellationReason, type Event, EventType, Role } from "@petak/protocol";
import { makeSite, startTraceCollector, useRedis } from "@petak/testkit";
import { startTestNetwork, type TestNetwork, type TestNetworkOptions, type TestParticipant } from "@petak/testkit/network";
import { expect, onTestFinished, test } from "vitest";

const redis = useRedis();
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const callersSpan = "b7ad6b7169203331";

/** The header of a call, in a trace of its own. */
function traceOf(digit: string, flags = "01"): { traceparent: string } {
  return { traceparent: `00-${digit.repeat(32)}-${callersSpan}-${flags}` };
}

interface Scene {
  network: TestNetwork;
  courier: TestParticipant;
  siteId: string;
  /** Reserves a place with these headers. */
  reserve(headers: Record<string, string>, more?: { waits?: boolean; holdMs?: number }): Promise<string>;
  /** The type and traceparent of each of the courier's events. */
  traces(): Promise<[EventType, string][]>;
}

async function open(options: TestNetworkOptions = {}, places = 10): Promise<Scene> {
  const network = await startTestNetwork({ redis, holdsSitePercent: 100, ...options });
  onTestFinished(() => network.stop());
  const operator = await network.join("Operator", [Role.OPERATOR]);
  const site = makeSite({ latitude: 1.3, longitude: 103.8, classes: [["M", 400, 200, 500, 20_000, places]] });
  const siteId = await network.putSite(operator, site);
  const courier = await network.join("Courier", [Role.COURIER]);
  const { reservations, custody } = courier.client;
  return {
    ...{ network, courier, siteId },
    async reserve(headers, { waits = false, holdMs } = {}) {
      const overflowPolicy = waits ? { overflowPolicy: { wait: { seconds: 3600n } } } : {};
      const holdDuration = holdMs === undefined ? {} : { holdDuration: { seconds: BigInt(holdMs / 1000) } };
      const place = { case: "siteId", value: siteId } as const;
      const request = { requestId: randomUUID(), place, parcel, ...overflowPolicy, ...holdDuration };
      return (await reservations.reserve(request, { headers })).reservation?.reservationId ?? "";
    },
    traces: async () => (await custody.listEvents({})).events.map(({ type, traceparent }: Event) => [type, traceparent]),
  };
}

test.each([
  ["as calls usually go", true],
  ["by the stock adapter", false],
])("%s: an event keeps the trace of the call that caused it, also when many are recorded at once", async (_way, hasUnaryFastPath) => {
  const { courier, reserve, traces, siteId } = await open({ hasUnaryFastPath });
  const { reservations } = courier.client;
  const digits = ["1", "2", "3", "4", "5"];
  const ids = await Promise.all(digits.map((digit) => reserve(traceOf(digit))));
  const held = await traces();
  expect(held.map(([, traceparent]) => traceparent).toSorted()).toEqual(digits.map((digit) => traceOf(digit).traceparent));
  await Promise.all(
    ids.map((reservationId, index) =>
      reservations.confirm({ requestId: randomUUID(), reservationId }, { headers: traceOf(`${index + 1}`) }),
    ),
  );
  const byReservation = Map.groupBy((await courier.client.custody.listEvents({})).events, ({ reservationId }) => reservationId);
  for (const [index, id] of ids.entries()) {
    const { traceparent } = traceOf(`${index + 1}`);
    expect(byReservation.get(id)?.map((event) => event.traceparent)).toEqual([traceparent, traceparent]);
    const { events } = await courier.client.custody.getCustodyChain({ reservationId: id });
    expect(events.map((event) => event.traceparent)).toEqual([traceparent, traceparent]);
  }
  const place = { case: "siteId", value: siteId } as const;
  const entry = () => ({ call: { case: "reserve" as const, value: { requestId: randomUUID(), place, parcel } } });
  await reservations.batch({ calls: [entry(), entry()] }, { headers: traceOf("a") });
  expect((await traces()).slice(-2).map(([, traceparent]) => traceparent)).toEqual(Array(2).fill(traceOf("a").traceparent));
  const seen: string[] = [];
  for await (const { events } of courier.client.custody.watchEvents({})) {
    seen.push(...events.map(({ traceparent }) => traceparent));
    if (seen.length === 12) break;
  }
  expect(seen).toEqual((await traces()).map(([, traceparent]) => traceparent));
});

test("an event keeps only a trace that is recorded, in 55 characters, whatever the header says", async () => {
  const { reserve, traces } = await open();
  const { traceparent } = traceOf("1");
  const headers = [
    {},
    traceOf("2", "00"),
    { traceparent: traceparent.toUpperCase() },
    { traceparent: `${traceparent}-more` },
    { traceparent: `${traceparent}, ${traceparent}` },
    { traceparent: `00-${"0".repeat(32)}-${callersSpan}-01` },
    { traceparent: "x".repeat(4000) },
  ];
  for (const some of headers) await reserve(some);
  // A later version may have more fields and other flags, of which nothing is kept.
  await reserve({ traceparent: `cc${traceparent.slice(2, -2)}ff-${"y".repeat(2000)}` });
  expect((await traces()).map(([, kept]) => kept)).toEqual([...headers.map(() => ""), traceparent]);
});

test("a request that is repeated in another trace has the same answer, and its event keeps the first", async () => {
  const { courier, siteId, traces } = await open();
  const { reservations } = courier.client;
  const request = { requestId: randomUUID(), place: { case: "siteId", value: siteId }, parcel } as const;
  const first = await reservations.reserve(request, { headers: traceOf("1") });
  expect(await reservations.reserve(request, { headers: traceOf("2") })).toEqual(first);
  const confirming = { requestId: randomUUID(), reservationId: first.reservation?.reservationId ?? "" };
  const confirmed = await reservations.confirm(confirming, { headers: traceOf("3") });
  expect(await reservations.confirm(confirming)).toEqual(confirmed);
  expect(await traces()).toEqual([
    [EventType.RESERVATION_HELD, traceOf("1").traceparent],
    [EventType.RESERVATION_CONFIRMED, traceOf("3").traceparent],
  ]);
});

test("an event that a deadline or another's call caused has no trace", async () => {
  const { courier, reserve, traces } = await open({}, 1);
  const first = await reserve(traceOf("1"));
  await reserve(traceOf("2"), { waits: true, holdMs: 1000 });
  const cancellation = { requestId: randomUUID(), reservationId: first, reason: CancellationReason.OTHER };
  await courier.client.reservations.cancel(cancellation, { headers: traceOf("3") });
  await expect.poll(traces).toHaveLength(5);
  expect(await traces()).toEqual([
    [EventType.RESERVATION_HELD, traceOf("1").traceparent],
    [EventType.RESERVATION_QUEUED, traceOf("2").traceparent],
    [EventType.RESERVATION_CANCELLED, traceOf("3").traceparent],
    [EventType.RESERVATION_PROMOTED, ""],
    [EventType.RESERVATION_EXPIRED, ""],
  ]);
});

test("a gateway that records a call leads its event to the span, whoever began the trace", async () => {
  const collector = await startTraceCollector();
  onTestFinished(() => collector.stop());
  for (const otlpSamplePercent of [0, 100]) {
    const { network, reserve, traces } = await open({
      otlpEndpoint: collector.endpoint,
      otlpSamplePercent,
      keyPrefix: `${otlpSamplePercent}`,
    });
    await reserve(traceOf("1"));
    await reserve(traceOf("2", "00"));
    await reserve({});
    const kept = (await traces()).map(([, traceparent]) => traceparent);
    await network.gateway.stop();
    const spans = collector.spans.filter(({ name }) => name === "petak.v1.ReservationService/Reserve");
    const expected = spans.map(({ traceId, spanId }) => `00-${traceId}-${spanId}-01`);
    expect(spans.map(({ parentSpanId }) => parentSpanId)).toEqual(otlpSamplePercent === 0 ? [callersSpan] : [callersSpan, undefined]);
    expect(kept).toEqual([expected[0], "", otlpSamplePercent === 0 ? "" : expected[1]]);
    collector.spans.length = 0;
  }
});
