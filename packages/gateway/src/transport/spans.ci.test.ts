import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { createClient } from "@connectrpc/connect";
import { CustodyService, DirectoryService } from "@petak/protocol";
import { startTraceCollector } from "@petak/testkit";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { createLogger } from "../observability/logger.ts";
import { startTracing } from "../observability/start-tracing.ts";
import type { TracingOptions } from "../observability/tracing.ts";
import { goodRequest, startTestGateway, type TestGatewayOptions, transports } from "./testing/test-gateway.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const callersSpan = "b7ad6b7169203331";
const from = (flags: string) => ({ headers: { traceparent: `00-${traceId}-${callersSpan}-${flags}` } });
const findNearest = "petak.v1.DirectoryService/FindNearest";

const lost = new Map<string, number>();
const onLost: TracingOptions["onLost"] = (reason, spans) => void lost.set(reason, (lost.get(reason) ?? 0) + spans);
beforeEach(() => lost.clear());

async function startTraced({ samplePercent = 100, ...options }: TestGatewayOptions & { samplePercent?: number } = {}) {
  const collector = await startTraceCollector();
  onTestFinished(() => collector.stop());
  const tracingLines: string[] = [];
  const logger = createLogger({ destination: { write: (line) => void tracingLines.push((JSON.parse(line) as { msg: string }).msg) } });
  const tracing = await startTracing({ endpoint: collector.endpoint, samplePercent, logger, onLost });
  const gateway = await startTestGateway({ ...options, tracing });
  onTestFinished(() => tracing.stop());
  const rpcs = () => gateway.lines.filter(({ msg }) => msg === "rpc");
  return { ...gateway, collector, tracing, tracingLines, rpcs };
}

const ways: [string, TestGatewayOptions][] = [
  ["as calls usually go", {}],
  ["by the stock adapter", { hasUnaryFastPath: false }],
];

for (const [way, options] of ways) {
  test.each(Object.entries(transports))(
    `%s, ${way}: each call is a span below its caller's, named in its log line`,
    async (_name, transport) => {
      const { baseUrl, rpcs, collector, tracing } = await startTraced(options);
      const directory = createClient(DirectoryService, transport(baseUrl));
      const beganMs = Date.now();
      await directory.findNearest(goodRequest, from("01"));
      await directory.findNearest({ ...goodRequest, limit: 14, operatorIds: ["x"] }, from("01")).catch(() => undefined);
      await directory.findNearest({ ...goodRequest, limit: 13 }, from("01")).catch(() => undefined);
      for await (const _ of createClient(CustodyService, transport(baseUrl)).watchEvents({}, from("01")));
      await expect.poll(rpcs).toHaveLength(4);
      await tracing.stop();
      const ids = rpcs().map(({ span_id }) => span_id);
      const inOrder = ids.map((id) => collector.spans.find(({ spanId }) => spanId === id));
      expect(new Set([...ids, callersSpan]).size).toBe(5);
      expect(rpcs().map(({ trace_id }) => trace_id)).toEqual(Array(4).fill(traceId));
      expect(
        inOrder.map((span) => [span?.name, span?.attributes["rpc.status_code"], span?.attributes["petak.reason"], span?.statusCode]),
      ).toEqual([
        [findNearest, "OK", undefined, 0],
        [findNearest, "NOT_FOUND", "SITE_NOT_FOUND", 0],
        [findNearest, "INTERNAL", "INTERNAL", 2],
        ["petak.v1.CustodyService/WatchEvents", "OK", undefined, 0],
      ]);
      for (const [at, span] of inOrder.entries()) {
        expect(span).toMatchObject({ kind: 2, traceId, parentSpanId: callersSpan, resource: { "service.name": "petak-gateway" } });
        expect(span?.attributes).toMatchObject({ "petak.request_id": rpcs()[at]?.request_id, "petak.protocol": rpcs()[at]?.protocol });
        // A clock that counts in whole milliseconds has the ends.
        expect(span?.startMs).toBeGreaterThanOrEqual(beganMs - 2);
        expect(span?.endMs).toBeLessThanOrEqual(Date.now() + 1);
        expect(Math.abs((span?.endMs ?? 0) - (span?.startMs ?? 0) - Number(rpcs()[at]?.duration_ms))).toBeLessThan(0.01);
      }
      expect(inOrder[2]?.attributes["error.type"]).toBe("INTERNAL");
    },
  );
}

test("the caller's flag decides, and of calls without a trace the setting", async () => {
  for (const samplePercent of [0, 100]) {
    const { baseUrl, rpcs, collector, tracing } = await startTraced({ samplePercent });
    const directory = createClient(DirectoryService, Object.values(transports)[0]?.(baseUrl) ?? expect.fail());
    for (const options of [from("01"), from("00"), {}]) await directory.findNearest(goodRequest, options);
    await expect.poll(rpcs).toHaveLength(3);
    await tracing.stop();
    const [sampled, unsampled, bare] = rpcs();
    expect(unsampled).toMatchObject({ trace_id: traceId, span_id: callersSpan });
    expect(collector.spans.map(({ spanId }) => spanId)).toEqual(
      samplePercent === 0 ? [sampled?.span_id] : [sampled?.span_id, bare?.span_id],
    );
    if (samplePercent === 0) expect(bare).not.toHaveProperty("trace_id");
    else expect(collector.spans[1]).toMatchObject({ traceId: bare?.trace_id, parentSpanId: undefined });
  }
});

test("calls are recorded where their lines are not written", async () => {
  const collector = await startTraceCollector();
  onTestFinished(() => collector.stop());
  const tracing = await startTracing({
    endpoint: `${collector.endpoint}/`,
    samplePercent: 100,
    logger: createLogger({ level: "silent" }),
    onLost,
  });
  const call = { ...{ requestId: "r", method: "a.B/C", protocol: "grpc", code: "canceled", reason: "CANCELED" }, participant: "par_1" };
  tracing.recordCall({ ...call, durationMs: 5, trace: undefined, span: undefined });
  await tracing.stop();
  expect(collector.spans[0]?.attributes).toMatchObject({
    "rpc.status_code": "CANCELLED",
    "petak.participant": "par_1",
    "rpc.system.name": "grpc",
  });
});

test("a collector that refuses spans is named once in the log, and calls go on", async () => {
  const { baseUrl, rpcs, collector, tracing, tracingLines } = await startTraced();
  const directory = createClient(DirectoryService, Object.values(transports)[0]?.(baseUrl) ?? expect.fail());
  collector.answer(400);
  for (let count = 0; count < 3; count += 1) await directory.findNearest(goodRequest);
  await expect.poll(rpcs).toHaveLength(3);
  await tracing.stop();
  expect([tracingLines, collector.spans]).toEqual([["spans cannot be exported and are lost"], []]);
  expect([...lost]).toEqual([["export_failed", 3]]);
});

test("spans that end faster than they can be sent are lost, and counted", async () => {
  const silent = createServer(() => {}).listen(0, "127.0.0.1");
  await once(silent, "listening");
  onTestFinished(() => void silent.close());
  const endpoint = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const tracing = await startTracing({ endpoint, samplePercent: 100, logger: createLogger({ level: "silent" }), onLost });
  const attempt = { endpointId: "whe_1", eventId: "evt_1", url: "https://hooks.example/", cause: undefined };
  for (let count = 0; count < 4096; count += 1) tracing.beginAttempt(attempt).end("delivered", 204);
  // One batch is on its way.
  expect(lost.get("queue_full")).toBe(4096 - 2048 - 512);
  await tracing.stop();
  await expect.poll(() => lost.get("export_failed")).toBe(2048 + 512);
});

test("a stop does not wait for a collector that never answers", async () => {
  const silent = createServer(() => {}).listen(0, "127.0.0.1");
  await once(silent, "listening");
  onTestFinished(() => void silent.close());
  const lines: string[] = [];
  const logger = createLogger({ destination: { write: (line) => void lines.push((JSON.parse(line) as { msg: string }).msg) } });
  const endpoint = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const tracing = await startTracing({ endpoint, samplePercent: 100, logger, onLost });
  tracing.beginAttempt({ endpointId: "whe_1", eventId: "evt_1", url: "https://hooks.example/", cause: undefined }).end("delivered", 204);
  await tracing.stop();
  await expect.poll(() => lines).toEqual(["spans cannot be exported and are lost"]);
});
