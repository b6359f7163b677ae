import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { Role } from "@petak/protocol";
import { makeSite, startTraceCollector, useRedis } from "@petak/testkit";
import { startTestNetwork } from "@petak/testkit/network";
import { expect, onTestFinished, test } from "vitest";

const redis = useRedis();
const origin = { latitude: 1.3, longitude: 103.8 };
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const traceId = "0af7651916cd43dd8448eb211c80319c";
const headers = { traceparent: `00-${traceId}-b7ad6b7169203331-01` };

test("a courier's call is a span in the courier's trace, sent before the gateway has stopped", async () => {
  const collector = await startTraceCollector();
  onTestFinished(() => collector.stop());
  const network = await startTestNetwork({ redis, otlpEndpoint: collector.endpoint, otlpSamplePercent: 0 });
  try {
    const operator = await network.join("Operator", [Role.OPERATOR]);
    const siteId = await network.putSite(operator, makeSite({ ...origin, classes: [["M", 400, 200, 500, 20_000, 3]] }));
    const courier = await network.join("Courier", [Role.COURIER]);
    const request = { requestId: randomUUID(), place: { case: "siteId", value: siteId }, parcel } as const;
    await courier.client.reservations.reserve(request, { headers });
    await expect.poll(() => network.log().filter(({ trace_id }) => trace_id === traceId)).toHaveLength(1);
    const [line] = network.log().filter(({ trace_id }) => trace_id === traceId);
    await network.gateway.stop();
    const [span, ...others] = collector.spans.filter(({ kind }) => kind === 2);
    expect(others).toEqual([]);
    expect(span).toMatchObject({ name: "petak.v1.ReservationService/Reserve", traceId, parentSpanId: "b7ad6b7169203331" });
    expect(span?.attributes).toMatchObject({ "rpc.status_code": "OK", "petak.participant": line?.participant });
    expect(line).toMatchObject({ msg: "rpc", span_id: span?.spanId });
  } finally {
    await network.stop();
  }
});

/** Starts a receiver of webhooks, which refuses the first. Returns its URL, and the `traceparent` of each request and of the event in its body. */
async function startReceiver(): Promise<{ url: string; traceparents: unknown[]; ofEvents: unknown[] }> {
  const traceparents: unknown[] = [];
  const ofEvents: unknown[] = [];
  const server = createServer((request, response) => {
    void json(request).then((body) => {
      traceparents.push(request.headers.traceparent);
      ofEvents.push((body as { traceparent?: string }).traceparent);
      response.writeHead(traceparents.length === 1 ? 500 : 204).end();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks?secret=s3cret`, traceparents, ofEvents };
}

test.each([100, 0])(
  "attempts to deliver webhooks are spans, of which receivers are told: %i %% are recorded",
  async (otlpSamplePercent) => {
    const collector = await startTraceCollector();
    onTestFinished(() => collector.stop());
    const { url, traceparents } = await startReceiver();
    const network = await startTestNetwork({ redis, otlpEndpoint: collector.endpoint, otlpSamplePercent });
    try {
      const { webhooks } = (await network.join("Courier", [Role.COURIER])).client;
      const { endpoint } = await webhooks.createEndpoint({ requestId: randomUUID(), url });
      const endpointId = endpoint?.endpointId ?? "";
      const refused = await webhooks.testEndpoint({ requestId: randomUUID(), endpointId });
      const delivered = await webhooks.testEndpoint({ requestId: randomUUID(), endpointId });
      await network.gateway.stop();
      const attempts = collector.spans.filter(({ name }) => name === "POST webhook");
      if (otlpSamplePercent === 0) {
        expect(collector.spans).toEqual([]);
        expect(traceparents).toEqual(Array(2).fill(expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)));
        return;
      }
      expect(traceparents).toEqual(attempts.map(({ traceId, spanId }) => `00-${traceId}-${spanId}-01`));
      expect(attempts).toMatchObject([
        {
          kind: 3,
          statusCode: 2,
          attributes: { "http.response.status_code": 500, "error.type": "server_error", "petak.event_id": refused.eventId },
        },
        { kind: 3, statusCode: 0, attributes: { "http.response.status_code": 204, "petak.webhook_endpoint_id": endpointId } },
      ]);
      expect(attempts[1]?.attributes).toMatchObject({ "server.address": "127.0.0.1", "petak.event_id": delivered.eventId });
      expect(JSON.stringify(collector.spans)).not.toContain("s3cret");
    } finally {
      await network.stop();
    }
  },
);

test.each([
  ["a gateway that records spans", true],
  ["a gateway that does not", false],
])("each attempt to tell of an event belongs to the trace of the call that caused it, at %s", async (_name, isTracing) => {
  const collector = await startTraceCollector();
  onTestFinished(() => collector.stop());
  const { url, traceparents, ofEvents } = await startReceiver();
  const network = await startTestNetwork({ redis, otlpSamplePercent: 0, ...(isTracing && { otlpEndpoint: collector.endpoint }) });
  try {
    const operator = await network.join("Operator", [Role.OPERATOR]);
    const siteId = await network.putSite(operator, makeSite({ ...origin, classes: [["M", 400, 200, 500, 20_000, 3]] }));
    const { reservations, webhooks } = (await network.join("Courier", [Role.COURIER])).client;
    await webhooks.createEndpoint({ requestId: randomUUID(), url });
    const request = { requestId: randomUUID(), place: { case: "siteId", value: siteId }, parcel } as const;
    await reservations.reserve(request, { headers });
    // The second is sent again from what is stored.
    await expect.poll(() => traceparents).toHaveLength(2);
    await network.gateway.stop();
    if (!isTracing) {
      // The body says what the caller said, the header what the gateway does.
      const unrecorded = headers.traceparent.replace(/01$/, "00");
      expect([traceparents, ofEvents]).toEqual([Array(2).fill(unrecorded), Array(2).fill(headers.traceparent)]);
      return;
    }
    const reserving = collector.spans.find(({ name }) => name === "petak.v1.ReservationService/Reserve");
    const attempts = collector.spans.filter(({ name }) => name === "POST webhook");
    expect(attempts.map((span) => [span.traceId, span.parentSpanId])).toEqual(Array(2).fill([traceId, reserving?.spanId]));
    expect(traceparents).toEqual(attempts.map(({ spanId }) => `00-${traceId}-${spanId}-01`));
    expect(ofEvents).toEqual(Array(2).fill(`00-${traceId}-${reserving?.spanId}-01`));
  } finally {
    await network.stop();
  }
});

test("what a call asks of Redis is below its span, each in its own trace, without keys and values", async () => {
  const collector = await startTraceCollector();
  onTestFinished(() => collector.stop());
  const network = await startTestNetwork({ redis, otlpEndpoint: collector.endpoint, otlpSamplePercent: 0, holdsSitePercent: 100 });
  try {
    const operator = await network.join("Operator", [Role.OPERATOR]);
    const siteId = await network.putSite(operator, makeSite({ ...origin, classes: [["M", 400, 200, 500, 20_000, 10]] }));
    const { reservations } = (await network.join("Courier", [Role.COURIER])).client;
    const place = { case: "siteId", value: siteId } as const;
    const others = Array.from({ length: 3 }, () => reservations.reserve({ requestId: randomUUID(), place, parcel }));
    const traced = ["1", "2"].map(async (digit) => {
      const options = { headers: { traceparent: `00-${digit.repeat(32)}-b7ad6b7169203331-01` } };
      const { reservation } = await reservations.reserve({ requestId: randomUUID(), place, parcel }, options);
      const { reservationId = "" } = reservation ?? {};
      await reservations.confirm({ requestId: randomUUID(), reservationId }, options);
    });
    await Promise.all([...others, ...traced]);
    await network.gateway.stop();
    for (const digit of ["1", "2"]) {
      const spans = collector.spans.filter((span) => span.traceId === digit.repeat(32));
      const calls = new Map(spans.filter(({ kind }) => kind === 2).map((span) => [span.spanId, span]));
      expect([...calls.values()].map(({ name }) => name).toSorted()).toEqual(
        ["Confirm", "Reserve"].map((name) => `petak.v1.ReservationService/${name}`),
      );
      const commands = spans.filter(({ kind }) => kind === 3);
      const scripts = commands.flatMap(({ attributes }) => attributes["db.stored_procedure.name"] ?? []);
      expect(scripts).toEqual(expect.arrayContaining(["hold-many", "apply-transitions"]));
      expect(commands.filter(({ name }) => name === "EVALSHA hold-many")).toHaveLength(1);
      for (const { parentSpanId = "", startMs, endMs, attributes } of commands) {
        const call = calls.get(parentSpanId);
        expect(attributes).toMatchObject({ "db.system.name": "redis", "db.operation.name": expect.stringMatching(/^[A-Z]+$/) });
        // A clock that counts in whole milliseconds has the ends.
        expect(startMs).toBeGreaterThanOrEqual((call?.startMs ?? Number.POSITIVE_INFINITY) - 2);
        expect(endMs).toBeLessThanOrEqual((call?.endMs ?? 0) + 2);
      }
      expect(JSON.stringify(commands)).not.toContain(siteId.slice(5));
      expect(JSON.stringify(commands)).not.toContain(redis.keyPrefix);
    }
    expect(new Set(collector.spans.map((span) => span.traceId)).size).toBe(2);
  } finally {
    await network.stop();
  }
});
