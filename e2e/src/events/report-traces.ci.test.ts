import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Code, ConnectError } from "@connectrpc/connect";
import type { AgentLogger } from "@petak/agent";
import { createRequestSigner } from "@petak/client/node";
import { Act, DeviceEventType, EventType, Role } from "@petak/protocol";
import { makeSite, startTraceCollector, useRedis } from "@petak/testkit";
import { startTestNetwork } from "@petak/testkit/network";
import { expect, onTestFinished, test } from "vitest";

const redis = useRedis();
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const compartments = [{ compartmentId: "M-1", sizeClassId: "M" }];

/** An agent's log, and what it says of traces: the message and the id. */
function keepLog(): { logger: AgentLogger; traces(): string[][] } {
  const lines: string[][] = [];
  const write = (fields: object, message: string) => {
    if ("traceId" in fields) lines.push([message, String(fields.traceId)]);
  };
  return { logger: { info: write, warn: write, error: write }, traces: () => lines };
}

/** A receiver of webhooks: the `traceparent` of each, by the event's id. */
async function startReceiver(): Promise<{ url: string; traceparents: Map<unknown, unknown> }> {
  const traceparents = new Map<unknown, unknown>();
  const server = createServer((request, response) => {
    traceparents.set(request.headers["webhook-id"], request.headers.traceparent);
    request.resume().on("end", () => response.writeHead(204).end());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, traceparents };
}

async function startScene(otlpSamplePercent = 100) {
  const collector = await startTraceCollector();
  onTestFinished(() => collector.stop());
  const network = await startTestNetwork({ redis, otlpEndpoint: collector.endpoint, otlpSamplePercent });
  onTestFinished(() => network.stop());
  const operator = await network.join("Operator", [Role.OPERATOR]);
  const classes: [string, number, number, number, number, number][] = [["M", 400, 200, 500, 20_000, 1]];
  const siteId = await network.putSite(operator, makeSite({ latitude: 1.3, longitude: 103.8, classes }, { compartments }));
  const courier = await network.join("Courier", [Role.COURIER]);
  const key = await network.agentKey(operator, siteId);
  const link = { isCut: false };
  const { agents } = network.clientFor(createRequestSigner(key), { retry: false });
  const client = {
    boot: agents.boot,
    sync: agents.sync,
    reportEvents: ((...args) => {
      if (link.isCut) return Promise.reject(new ConnectError("the link is cut", Code.Unavailable));
      return agents.reportEvents(...args);
    }) as typeof agents.reportEvents,
  };
  const { logger, traces } = keepLog();
  const terminal = await network.openTerminal(operator, siteId, {
    cabinet: compartments,
    logger,
    client,
    reportKey: { keyId: key.keyId, privateJwk: key.privateJwk },
  });
  /** A token with which the courier brings a parcel. */
  async function depositToken(): Promise<string> {
    const { reservations } = courier.client;
    const request = { requestId: randomUUID(), place: { case: "siteId", value: siteId }, parcel } as const;
    const { reservation } = await reservations.reserve(request);
    const reservationId = reservation?.reservationId ?? "";
    await reservations.confirm({ requestId: randomUUID(), reservationId });
    await terminal.agent.syncNow();
    const { accessToken } = await reservations.issueCredential({ requestId: randomUUID(), reservationId, act: Act.DEPOSIT });
    return accessToken;
  }
  const deposit = async () => {
    const { events } = await courier.client.custody.listEvents({});
    return events.find(({ type }) => type === EventType.PARCEL_DEPOSITED);
  };
  return { collector, network, courier, terminal, link, traces, depositToken, deposit };
}

test("one trace leads from an agent's report to the courier's feed and webhook, and both logs have its id", async () => {
  const { collector, network, courier, terminal, traces, depositToken, deposit } = await startScene();
  const { url, traceparents } = await startReceiver();
  await courier.client.webhooks.createEndpoint({ requestId: randomUUID(), url });
  await terminal.visit({ token: await depositToken() });
  const event = await deposit();
  const traceId = event?.traceparent.slice(3, 35) ?? "";
  expect(traces()).toContainEqual(["reports delivered", traceId]);
  await expect.poll(() => traceparents.has(event?.eventId)).toBe(true);
  await terminal.agent.stop();
  await network.gateway.stop();
  const spans = collector.spans.filter((span) => span.traceId === traceId && span.kind === 2);
  const attempts = collector.spans.filter(({ attributes }) => attributes["petak.event_id"] === event?.eventId);
  const [reported] = spans;
  expect(spans).toMatchObject([{ name: "petak.v1.AgentService/ReportEvents", parentSpanId: expect.stringMatching(/^[0-9a-f]{16}$/) }]);
  expect(event?.traceparent).toBe(`00-${traceId}-${reported?.spanId}-01`);
  expect(attempts).toMatchObject([{ name: "POST webhook", traceId, parentSpanId: reported?.spanId }]);
  expect(traceparents.get(event?.eventId)).toBe(`00-${traceId}-${attempts[0]?.spanId}-01`);
  expect(network.log()).toContainEqual(expect.objectContaining({ msg: "rpc", trace_id: traceId, span_id: reported?.spanId }));
});

test("the gateway's setting decides on the calls of agents, which are in both logs in any case", async () => {
  const { collector, network, terminal, traces, depositToken, deposit } = await startScene(0);
  await terminal.visit({ token: await depositToken() });
  expect((await deposit())?.traceparent).toBe("");
  const [, delivered] = traces().find(([message]) => message === "reports delivered") ?? [];
  await network.gateway.stop();
  const calls = network.log().filter(({ method }) => /AgentService\/(Sync|ReportEvents)$/.test(String(method)));
  expect(calls.map(({ method }) => method)).toContain("petak.v1.AgentService/Sync");
  expect(calls.map(({ trace_id }) => trace_id)).toEqual(calls.map(() => expect.stringMatching(/^[0-9a-f]{32}$/)));
  expect(calls.map(({ trace_id }) => trace_id)).toContain(delivered);
  expect(collector.spans).toEqual([]);
});

test("a report that is sent again after a restart keeps its trace", async () => {
  const { terminal, link, traces, depositToken, deposit } = await startScene();
  const token = await depositToken();
  await terminal.agent.flushed();
  link.isCut = true;
  const door = await terminal.agent.present({ token });
  if (!door.opened) throw new Error("the door did not open");
  terminal.useDoor(door);
  // Reports that are sent in one call have the trace of the first.
  await expect.poll(() => terminal.store.outbox.after(0, 100).some(({ type }) => type === DeviceEventType.PARCEL_DEPOSITED)).toBe(true);
  const failed = () => traces().filter(([message]) => message === "reports could not be delivered");
  await expect.poll(failed).not.toHaveLength(0);
  const [[, traceId] = []] = failed();
  link.isCut = false;
  await terminal.restart();
  await terminal.agent.flushed();
  expect(traces()).toContainEqual(["reports delivered", traceId]);
  expect((await deposit())?.traceparent.slice(3, 35)).toBe(traceId);
});
