import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { CustodyService, DirectoryService, fromConnectError, reasonOf } from "@petak/protocol";
import { expect, test, vi } from "vitest";
import { http2Beginning, http2Request, rawConnection, reasonInJson, resetRequest } from "./testing/raw-http.ts";
import { goodRequest, startTestGateway, transports } from "./testing/test-gateway.ts";

const findNearest = "/petak.v1.DirectoryService/FindNearest";
const json = { "content-type": "application/json" };
const body = JSON.stringify(goodRequest);

test.each(Object.entries(transports))("%s: a call whose handler hangs is answered at its deadline", async (_name, transport) => {
  const { baseUrl, lines } = await startTestGateway({ onFindNearest: () => new Promise(() => {}), watchEvents: hanging });
  const connected = transport(baseUrl);
  const directory = createClient(DirectoryService, connected);
  // A client that has yet to connect may give up before it has asked.
  await directory.getSite({ siteId: "site" }).catch(() => undefined);
  const unary = await directory.findNearest(goodRequest, { timeoutMs: 500 }).catch(ConnectError.from);
  expect(unary).toMatchObject({ code: Code.DeadlineExceeded });
  const stream = createClient(CustodyService, connected).watchEvents({}, { timeoutMs: 500 });
  const error = await stream[Symbol.asyncIterator]().next().catch(ConnectError.from);
  expect(error).toMatchObject({ code: Code.DeadlineExceeded });
  const isHanging = ({ msg, method }: (typeof lines)[number]) => msg === "rpc" && method !== "petak.v1.DirectoryService/GetSite";
  await expect.poll(() => lines.filter(isHanging).length).toBe(2);
});

test("DEADLINE_EXCEEDED comes from the gateway, with its reason", async () => {
  const { baseUrl } = await startTestGateway({ onFindNearest: () => new Promise(() => {}) });
  const headers = { ...json, "connect-timeout-ms": "40" };
  const response = await fetch(`${baseUrl}${findNearest}`, { method: "POST", headers, body });
  expect([response.status, reasonInJson(await response.text())]).toEqual([504, "DEADLINE_EXCEEDED"]);
});

test("a unary call without a deadline gets the default one, and a longer deadline is shortened to the limit", async () => {
  const seen: (AbortSignal | undefined)[] = [];
  const { baseUrl } = await startTestGateway({
    limits: { defaultTimeoutMs: 30, maxTimeoutMs: 60 },
    onFindNearest: (signal) => {
      seen.push(signal);
      return new Promise(() => {});
    },
  });
  const messageFor = async (headers: Record<string, string>) => {
    const response = await fetch(`${baseUrl}${findNearest}`, { method: "POST", headers: { ...json, ...headers }, body });
    return ((await response.json()) as { message: string }).message;
  };
  expect(await messageFor({})).toContain("30 ms");
  expect(await messageFor({ "connect-timeout-ms": "3600000" })).toContain("60 ms");
  expect(await messageFor({ "connect-timeout-ms": "0" })).toContain("0 ms");
  expect(seen.every((signal) => signal?.aborted)).toBe(true);
});

test("a call whose body does not arrive is answered at its deadline, over HTTP/1.1 and HTTP/2", async () => {
  const { port } = await startTestGateway({ limits: { defaultTimeoutMs: 50 } });
  const { socket, received } = await rawConnection(port);
  socket.write(`POST ${findNearest} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{`);
  await expect.poll(received).toMatch(/^HTTP\/1.1 504 /);
  expect(reasonInJson(received().split("\r\n\r\n")[1] ?? "")).toBe("DEADLINE_EXCEEDED");
});

test("calls beyond the limit are refused with RetryInfo, streams are counted apart, and health checks are always answered", async () => {
  const release = Promise.withResolvers<void>();
  const { baseUrl, metrics } = await startTestGateway({
    limits: { maxConcurrentCalls: 2, maxConcurrentStreams: 1 },
    onFindNearest: () => release.promise,
    watchEvents: untilAbort,
  });
  const grpc = transports["gRPC over HTTP/2"]?.(baseUrl);
  if (grpc === undefined) throw new Error("no transport");
  const directory = createClient(DirectoryService, grpc);
  const custody = createClient(CustodyService, grpc);
  const first = [directory.findNearest(goodRequest), directory.findNearest(goodRequest)];
  const inFlight = async (kind: string) => (await metrics.rpcInFlight.get()).values.find(({ labels }) => labels.kind === kind)?.value;
  await expect.poll(() => inFlight("unary")).toBe(2);
  const refused = ConnectError.from(await directory.findNearest(goodRequest).catch((error: unknown) => error));
  expect([refused.code, reasonOf(refused), fromConnectError(refused)?.retryAfterMs]).toEqual([Code.ResourceExhausted, "OVERLOADED", 1000]);

  const gone = new AbortController();
  const watching = custody.watchEvents({}, { signal: gone.signal })[Symbol.asyncIterator]();
  await watching.next();
  const second = await custody.watchEvents({})[Symbol.asyncIterator]().next().catch(ConnectError.from);
  expect(reasonOf(second)).toBe("OVERLOADED");
  const health = await fetch(`${baseUrl}/grpc.health.v1.Health/Check`, { method: "POST", headers: json, body: "{}" });
  expect(health.status).toBe(200);
  expect((await metrics.rpcShed.get()).values).toEqual([
    { labels: { kind: "unary" }, value: 1 },
    { labels: { kind: "stream" }, value: 1 },
  ]);

  gone.abort();
  await watching.next().catch(() => {});
  release.resolve();
  expect(await Promise.all(first)).toHaveLength(2);
  await expect.poll(() => inFlight("stream")).toBe(0);
  await expect.poll(() => inFlight("unary")).toBe(0);
  const third = custody.watchEvents({}, { timeoutMs: 60_000 })[Symbol.asyncIterator]();
  expect((await third.next()).value).toMatchObject({ cursor: "first" });
});

test("a stream whose client does not read and closes it leaves nothing behind", async () => {
  let ended = false;
  const { port, metrics, lines } = await startTestGateway({
    watchEvents: async function* () {
      try {
        for (;;) yield { cursor: "x".repeat(10_000) };
      } finally {
        ended = true;
      }
    },
  });
  const { socket } = await rawConnection(port);
  socket.pause();
  socket.write(
    "POST /petak.v1.CustodyService/WatchEvents HTTP/1.1\r\nHost: a\r\nContent-Type: application/connect+json\r\nContent-Length: 7\r\n\r\n\0\0\0\0\x02{}",
  );
  await expect.poll(() => metrics.inHand.stream).toBe(1);
  socket.destroy();
  await expect.poll(() => ended).toBe(true);
  await expect.poll(() => metrics.inHand.stream).toBe(0);
  await expect.poll(() => lines.find(({ msg }) => msg === "rpc")).toMatchObject({ code: "canceled", reason: "CANCELED" });
});

test("each call gives one log line and one measurement, with bounded method names and without secrets", async () => {
  const { port, lines, metrics } = await startTestGateway();
  await http2Request(port, { ":path": findNearest, ...json, "x-request-id": "abc-1", authorization: "Bearer secret" }, Buffer.from(body));
  await http2Request(port, { ":path": "/petak.v1.Nothing/AtAll", ...json }, Buffer.from(body));
  await http2Request(port, { ":path": findNearest, ...json }, Buffer.from('{"pin":"12345678"}'));
  await expect.poll(() => lines.filter(({ msg }) => msg === "rpc").length).toBe(3);
  const [ok, unknown, malformed] = lines.filter(({ msg }) => msg === "rpc");
  expect(ok).toMatchObject({ request_id: "abc-1", method: "petak.v1.DirectoryService/FindNearest", protocol: "connect", code: "ok" });
  expect(unknown).toMatchObject({ method: "unknown", code: "unimplemented", reason: "METHOD_NOT_FOUND" });
  expect(malformed).toMatchObject({ code: "invalid_argument", reason: "MALFORMED_MESSAGE" });
  expect(JSON.stringify(lines)).not.toMatch(/secret|12345678/);
  const methods = new Set((await metrics.rpcDuration.get()).values.map(({ labels }) => labels.method));
  expect([...methods].sort()).toEqual(["petak.v1.DirectoryService/FindNearest", "unknown"]);
});

test("a connection with more than 32 requests in progress is closed before more of them begin", async () => {
  let asked = 0;
  const { port, metrics } = await startTestGateway({
    checks: {
      store: () => {
        asked += 1;
        return new Promise(() => {});
      },
    },
  });
  const readyz = "GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n";
  const some = await rawConnection(port);
  some.socket.write(readyz.repeat(32));
  await expect.poll(() => asked).toBe(32);
  const many = await rawConnection(port);
  many.socket.write(readyz.repeat(1000));
  await many.closed;
  expect(asked).toBe(64);
  expect((await metrics.connectionsClosed.get()).values).toEqual([{ labels: { reason: "pipelined" }, value: 1 }]);
});

test.each(["application/json", "application/json; charset=utf-8"])(
  "a call in %s that is reset before the end of its body does not begin",
  async (contentType) => {
    const begin = vi.fn();
    const { port, lines, metrics } = await startTestGateway({ onFindNearest: () => begin() });
    const { socket } = await rawConnection(port);
    const [sent, reset] = resetRequest(1, { ":path": findNearest, ":authority": "a", "content-type": contentType }, body);
    socket.write(Buffer.concat([http2Beginning, sent]));
    await expect.poll(() => metrics.inHand.unary).toBe(1);
    socket.write(reset);
    await expect.poll(() => lines.some(({ msg, code }) => msg === "rpc" && code === "canceled")).toBe(true);
    expect(begin).not.toHaveBeenCalled();
  },
);

test("a connection that resets all its calls twice stays open, and one that goes on is closed", async () => {
  const { port, lines } = await startTestGateway({ serverLimits: { maxStreamsPerConnection: 16, firstCallTimeoutMs: 600_000 } });
  const headers = { ":path": findNearest, ":authority": "a", ...json };
  const { socket, closed } = await rawConnection(port);
  const resets = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, at) => resetRequest(2 * (from + at) + 1, headers, "")).flat();
  socket.write(Buffer.concat([http2Beginning, ...resets(0, 32)]));
  await expect.poll(() => lines.filter(({ msg }) => msg === "rpc").length).toBe(32);
  const last = await http2Request(port, { ":path": findNearest, ...json }, Buffer.from(body));
  expect([last.status, socket.readableEnded]).toEqual([200, false]);
  // However long that took: twice as many as it may ever send at once, and more.
  socket.write(Buffer.concat(resets(32, 160)));
  await closed;
});

async function* hanging(): AsyncGenerator<{ cursor: string }> {
  await new Promise(() => {});
  yield { cursor: "never" };
}

async function* untilAbort(signal: AbortSignal): AsyncGenerator<{ cursor: string }> {
  yield { cursor: "first" };
  await new Promise((resolve) => signal.addEventListener("abort", resolve));
}
