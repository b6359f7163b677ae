import { connect, constants } from "node:http2";
import { ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { DirectoryService, reasonOf } from "@petak/protocol";
import { expect, inject, test } from "vitest";
import { envelope, http2Request, rawConnection } from "./testing/raw-http.ts";
import { goodRequest, startTestGateway } from "./testing/test-gateway.ts";

const findNearest = "/petak.v1.DirectoryService/FindNearest";

const as =
  (account: string): Interceptor =>
  (next) =>
  (request) => {
    request.header.set("authorization", account);
    return next(request);
  };

/** Clients of the unary fast path over both versions of HTTP, and of the stock adapter, which gets compressed calls. */
const transports = {
  "HTTP/1.1": (baseUrl: string, account: string) => createConnectTransport({ baseUrl, httpVersion: "1.1", interceptors: [as(account)] }),
  "HTTP/2": (baseUrl: string, account: string) => createGrpcTransport({ baseUrl, interceptors: [as(account)] }),
};

test.each(Object.entries(transports))("%s: a caller that takes all it can leaves others their part", async (_name, transport) => {
  const release = Promise.withResolvers<void>();
  const { baseUrl, metrics } = await startTestGateway({
    limits: { maxConcurrentCalls: 16 },
    onFindNearest: (_signal, { requestHeader }) => (requestHeader.get("authorization") === "hog" ? release.promise : undefined),
  });
  const hog = createClient(DirectoryService, transport(baseUrl, "hog"));
  const calls = Array.from({ length: 40 }, () =>
    hog.findNearest(goodRequest).then(
      () => "ok",
      (error) => reasonOf(ConnectError.from(error)),
    ),
  );
  await expect.poll(async () => (await metrics.callsRefused.get()).values.find(({ labels }) => labels.kind === "unary")?.value).toBe(32);
  expect(metrics.inHand.unary).toBe(8);
  const other = createClient(DirectoryService, transport(baseUrl, "other"));
  expect((await other.findNearest(goodRequest)).options).toHaveLength(1);
  release.resolve();
  const ends = await Promise.all(calls);
  expect(ends.filter((end) => end === "ok")).toHaveLength(8);
  expect(ends.filter((end) => end === "RATE_LIMITED")).toHaveLength(32);
});

// Node's own reader looks at every request that has arrived; there the refusals wait one after the other all the same.
test.runIf(inject("hasUnaryFastPath") !== false)(
  "a connection whose caller is refused too often is not read until its refusal is told",
  async () => {
    const release = Promise.withResolvers<void>();
    const { port, baseUrl, metrics } = await startTestGateway({
      limits: { maxConcurrentCalls: 2, callerCallsMax: 1, callerCallsGuaranteed: 1, callerRefusalsPerSecond: 0.01 },
      onFindNearest: (_signal, { requestHeader }) => (requestHeader.get("authorization") === "hog" ? release.promise : undefined),
    });
    const body = JSON.stringify(goodRequest);
    const request = `POST /petak.v1.DirectoryService/FindNearest HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nAuthorization: hog\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const first = await rawConnection(port);
    first.socket.write(request);
    await expect.poll(() => metrics.inHand.unary).toBe(1);
    const second = await rawConnection(port);
    second.socket.write(request.repeat(20));
    const refused = async () => (await metrics.callsRefused.get()).values[0]?.value;
    await expect.poll(refused).toBe(2);
    // Its first refusal was told. The second one waits, and what follows it is not looked at.
    const told = () => second.received().match(/HTTP\/1.1 429/g)?.length;
    await expect.poll(told).toBe(1);
    const other = createClient(DirectoryService, transports["HTTP/1.1"](baseUrl, "other"));
    for (let count = 0; count < 5; count += 1) await other.findNearest(goodRequest);
    expect([await refused(), told()]).toEqual([2, 1]);
    release.resolve();
  },
);

const post = `POST ${findNearest} HTTP/1.1\r\nHost: a\r\nAuthorization: hog\r\n`;
const jsonPost = `${post}Content-Type: application/json\r\n`;

test.each([
  ["with a body that is no message", `${jsonPost}Content-Length: 1\r\n\r\n{`],
  ["with a body that is too long", `${jsonPost}Content-Length: 100000000\r\n\r\n`],
  ["with a body that does not come in time", `${jsonPost}Connect-Timeout-Ms: 0\r\nContent-Length: 9\r\n\r\n`],
  ["of another content type", `${post}Content-Type: text/plain\r\nContent-Length: 0\r\n\r\n`],
  ["in gRPC over HTTP/1.1", `${post}Content-Type: application/grpc\r\nContent-Length: 0\r\n\r\n`],
  ["with another method of HTTP", `PUT ${findNearest} HTTP/1.1\r\nHost: a\r\nAuthorization: hog\r\nContent-Length: 0\r\n\r\n`],
  ["to a target that is no URL", `GET ${findNearest}?message=%ff HTTP/1.1\r\nHost: a\r\n\r\n`],
  ["for two hosts", `${jsonPost}Host: b\r\nContent-Length: 0\r\n\r\n`],
  [
    "to check the health, with a body that is no message",
    `${jsonPost.replace(findNearest, "/grpc.health.v1.Health/Check")}Content-Length: 1\r\n\r\n{`,
  ],
  [
    "for a stream, with a body that is no message",
    `${post.replace(findNearest, "/petak.v1.CustodyService/WatchEvents")}Content-Type: application/connect+json\r\nContent-Length: 7\r\n\r\n\0\0\0\0\x02{{`,
  ],
])("requests %s are refused at the pace of refusals", async (_name, request) => {
  const { port, baseUrl } = await startTestGateway({ limits: { callerRefusalsPerSecond: 0.01 } });
  const other = createClient(DirectoryService, transports["HTTP/1.1"](baseUrl, "other"));
  // A health check is paced by its connection, at one a second, and others by their caller, at the longest wait, which is ten seconds.
  const isHealth = request.includes("Health");
  const beganMs = performance.now();
  const [first, ...more] = await Promise.all([1, 2, 3].map(() => rawConnection(port)));
  first?.socket.write(request.repeat(isHealth ? 3 : 1));
  const answersOf = (connection: typeof first) => connection?.received().match(/HTTP\/1.1 [2-5]/g)?.length ?? 0;
  await expect.poll(() => answersOf(first)).toBeGreaterThan(0);
  if (!isHealth) for (const { socket } of more) socket.write(request);
  for (let count = 0; count < 5; count += 1) await other.findNearest(goodRequest);
  const answers = [first, ...more].map(answersOf).reduce((sum, one) => sum + one);
  const seconds = Math.floor((performance.now() - beganMs) / 1000 + 0.05);
  expect(answers).toBeLessThanOrEqual(1 + (isHealth ? seconds : 2 * Math.floor(seconds / 10)));
});

test.each([
  ["the unary fast path", findNearest, "application/json", "{}"],
  ["the stock adapter", findNearest, "application/json", "{"],
  ["a stream", "/petak.v1.CustodyService/WatchEvents", "application/grpc", "xxxxxxx"],
  ["plain HTTP", "/nothing", "application/json", "{}"],
])("what finds no room among the refusals that wait is reset, by %s", async (_name, path, contentType, body) => {
  const { port, baseUrl } = await startTestGateway({
    limits: { callerRefusalsPerSecond: 0.01, refusalsWaitingMax: 1, ...(body === "{}" && { callerCallsMax: 0, callerCallsGuaranteed: 0 }) },
  });
  const refused = http2Request(port, { ":path": path, "content-type": contentType, authorization: "hog" }, Buffer.from(body));
  expect((await refused).rstCode).toBe(0);
  const session = connect(baseUrl).on("error", () => {});
  const ends = [1, 2, 3].map(() => {
    const stream = session.request({ ":method": "POST", ":path": path, "content-type": contentType, authorization: "hog" });
    stream.on("error", () => {});
    stream.end(body);
    return new Promise((resolve) => stream.on("close", () => resolve(stream.rstCode)));
  });
  // The first one waits.
  expect(await Promise.all(ends.slice(1))).toEqual([constants.NGHTTP2_ENHANCE_YOUR_CALM, constants.NGHTTP2_ENHANCE_YOUR_CALM]);
  session.destroy();
});

test("a call that turns out not to be plain leaves no share behind", async () => {
  const { port, metrics } = await startTestGateway({ limits: { readMaxBytes: 1024 } });
  const headers = { ":path": "/petak.v1.DirectoryService/FindNearest", "content-type": "application/json" };
  for (const body of ["{", "x".repeat(2048), JSON.stringify(goodRequest)]) await http2Request(port, headers, Buffer.from(body));
  const grpc = { ...headers, "content-type": "application/grpc", te: "trailers" };
  for (const body of [envelope(Buffer.alloc(4), 1), envelope(Buffer.alloc(2048))]) await http2Request(port, grpc, body);
  await expect.poll(() => metrics.inHand.unary).toBe(0);
});

test("streams whose request does not arrive hold up nothing of their caller", async () => {
  const { baseUrl, metrics } = await startTestGateway({ limits: { callerCallsRunning: 1 } });
  const session = connect(baseUrl).on("error", () => {});
  const head = { ":method": "POST", "content-type": "application/grpc", te: "trailers", authorization: "hog" };
  for (const path of ["/petak.v1.CustodyService/WatchEvents", "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"]) {
    session.request({ ...head, ":path": path }).on("error", () => {});
  }
  await expect.poll(() => metrics.inHand.stream).toBe(2);
  const hog = createClient(DirectoryService, transports["HTTP/2"](baseUrl, "hog"));
  expect((await hog.findNearest(goodRequest)).options).toHaveLength(1);
  session.destroy();
  await expect.poll(() => metrics.inHand.stream).toBe(0);
});

test("streams that are refused after their message, or left before their first answer, hold up nothing of their caller", async () => {
  const asked: AbortSignal[] = [];
  const { baseUrl, port, metrics } = await startTestGateway({
    limits: { callerCallsRunning: 1 },
    watchEvents: async function* (signal) {
      asked.push(signal);
      await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      yield { cursor: "never" };
    },
  });
  const head = {
    ":path": "/petak.v1.CustodyService/WatchEvents",
    "content-type": "application/grpc",
    te: "trailers",
    authorization: "hog",
  };
  const hog = createClient(DirectoryService, transports["HTTP/2"](baseUrl, "hog"));
  const twoMessages = Buffer.concat([envelope(new Uint8Array()), envelope(new Uint8Array())]);
  const refused = await http2Request(port, head, twoMessages);
  expect(refused.headers["grpc-status"] ?? refused.trailers["grpc-status"]).not.toBe("0");
  expect((await hog.findNearest(goodRequest, { timeoutMs: 20_000 })).options).toHaveLength(1);
  const session = connect(baseUrl).on("error", () => {});
  const left = session.request({ ":method": "POST", ...head }).on("error", () => {});
  left.end(envelope(new Uint8Array()));
  await expect.poll(() => asked.length).toBeGreaterThan(0);
  left.close(constants.NGHTTP2_CANCEL);
  expect((await hog.findNearest(goodRequest, { timeoutMs: 20_000 })).options).toHaveLength(1);
  session.destroy();
  await expect.poll(() => metrics.inHand.stream).toBe(0);
});

test("clients that do not read their answers keep no share by it, whichever path answers", async () => {
  const { baseUrl, metrics } = await startTestGateway();
  const session = connect(baseUrl, { settings: { initialWindowSize: 0 } }).on("error", () => {});
  const head = { ":method": "POST", ":path": "/petak.v1.DirectoryService/FindNearest", "content-type": "application/json" };
  const answered = ["{", JSON.stringify(goodRequest)].map((body) => {
    const stream = session.request(head).on("error", () => {});
    stream.end(body);
    return new Promise((resolve) => stream.on("response", ({ ":status": status }) => resolve(status)));
  });
  expect(await Promise.all(answered)).toEqual([400, 200]);
  await expect.poll(() => metrics.inHand.unary).toBe(0);
  session.destroy();
});

test("a health check names a service at most, so a longer message is not read", async () => {
  const { baseUrl } = await startTestGateway();
  const check = (service: string) =>
    fetch(`${baseUrl}/grpc.health.v1.Health/Check`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ service }),
    });
  const long = await check("x".repeat(5000));
  expect(await long.json()).toMatchObject({
    details: expect.arrayContaining([expect.objectContaining({ debug: expect.objectContaining({ reason: "MESSAGE_TOO_LARGE" }) })]),
  });
  expect((await check("")).status).toBe(200);
});
