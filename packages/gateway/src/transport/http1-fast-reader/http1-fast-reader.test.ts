import { once } from "node:events";
import { connect as connectTls } from "node:tls";
import { isDeepStrictEqual } from "node:util";
import { createRandom, testSeed } from "@petak/testkit";
import { describe, expect, test } from "vitest";
import { converse } from "../testing/converse.ts";
import { rawConnection, reasonInJson } from "../testing/raw-http.ts";
import { goodRequest, startTestGateway, type TestGatewayOptions } from "../testing/test-gateway.ts";

const findNearest = "/petak.v1.DirectoryService/FindNearest";
const check = "/grpc.health.v1.Health/Check";

function post(path: string, body: string, ...fields: string[]): string {
  const lines = [
    `POST ${path} HTTP/1.1`,
    "Host: gateway.test",
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...fields,
  ];
  return `${lines.join("\r\n")}\r\n\r\n${body}`;
}

const nearest = (limit: number) => post(findNearest, JSON.stringify({ ...goodRequest, limit }));
const startWithFastReader = (options: TestGatewayOptions = {}) => startTestGateway({ ...options, hasUnaryFastPath: true });
const count = (text: string, part: string) => text.split(part).length - 1;

/** Returns a value once it no longer changes while the gateway answers other requests. */
async function atRest(port: number, value: () => number): Promise<number> {
  let last = value();
  for (let unchanged = 0; unchanged < 50; unchanged += 1) {
    await (await fetch(`http://127.0.0.1:${port}/livez`)).text();
    if (value() === last) continue;
    last = value();
    unchanged = -1;
  }
  return last;
}

describe("a connection of the fast reader", () => {
  test("has pipelined calls answered in their order, one at a time", async () => {
    const waiting: (() => void)[] = [];
    const gateway = await startWithFastReader({ onFindNearest: () => new Promise((resolve) => waiting.push(resolve)) });
    const { socket, received } = await rawConnection(gateway.port);
    socket.write([1, 2, 3, 4].map(nearest).join(""));
    for (const answered of [1, 2, 3, 4]) {
      await expect.poll(() => waiting.length).toBe(answered);
      await expect.poll(() => count(received(), "HTTP/1.1 200")).toBe(answered - 1);
      waiting.at(-1)?.();
    }
    await expect
      .poll(() =>
        received()
          .match(/"freeToPromise":\d/g)
          ?.join(),
      )
      .toBe([1, 2, 3, 4].map((limit) => `"freeToPromise":${limit}`).join());
    expect(gateway.fastReaderCalls()).toBe(4);
  });

  test("moves to Node's server, with all unread bytes, at the first request that the fast reader does not support", async () => {
    const gateway = await startWithFastReader();
    const { socket, received } = await rawConnection(gateway.port);
    socket.write(`${nearest(1)}GET /livez HTTP/1.1\r\nHost: a\r\n\r\n${nearest(2)}`);
    await expect.poll(received).toMatch(/"freeToPromise":1.*\{"status":"live"\}.*"freeToPromise":2/s);
    expect(gateway.fastReaderCalls()).toBe(1);
  });

  test("reads only a limited amount ahead of a call in progress", async () => {
    const release = Promise.withResolvers<void>();
    const gateway = await startWithFastReader({ onFindNearest: () => release.promise });
    const { socket, received } = await rawConnection(gateway.port);
    const calls = 40_000;
    const request = post(check, "{}");
    socket.write(nearest(1) + request.repeat(calls));
    await expect.poll(() => gateway.metrics.inHand.unary).toBe(1);
    // The gateway reads no more than the kernel's buffers hold.
    expect(await atRest(gateway.port, () => socket.writableLength)).toBeGreaterThan(0);
    expect(received()).toBe("");
    release.resolve();
    await expect.poll(() => count(received(), "SERVING")).toBe(calls);
  });

  test("reads the next call only when a slow client has received its answer", async () => {
    const gateway = await startWithFastReader({
      onFindNearest: (_signal, { responseHeader }) => responseHeader.set("x-large", "x".repeat(100_000)),
    });
    const { socket, received } = await rawConnection(gateway.port);
    socket.pause();
    const calls = 200;
    socket.write(nearest(1).repeat(calls));
    await expect.poll(() => gateway.fastReaderCalls()).toBeGreaterThan(0);
    expect(await atRest(gateway.port, () => gateway.fastReaderCalls())).toBeLessThan(calls);
    socket.resume();
    await expect.poll(() => count(received(), '"freeToPromise":1')).toBe(calls);
  });

  test("carries any text in both directions, whatever its characters", async () => {
    const gateway = await startWithFastReader();
    const { port } = await startTestGateway({ hasUnaryFastPath: true, hasHttp1FastReader: false });
    const random = createRandom(testSeed());
    const alphabet = ["a", "é", "ÿ", "€", "𝄞", '"', "\\", "\u0000", "\u2028", "<", "\ud800"];
    for (let round = 0; round < 60; round += 1) {
      const service = Array.from({ length: random.int(0, 12) }, () => random.pick(alphabet)).join("");
      const pieces = [Buffer.from(post(check, JSON.stringify({ service })))];
      const both = (quietMs: number) => Promise.all([converse(gateway.port, pieces, quietMs), converse(port, pieces, quietMs)]);
      let [byFastReader, byNode] = await both(40);
      // A slow moment of the machine looks like the end of an answer, or like none.
      if (byFastReader.received === "" || !isDeepStrictEqual(byFastReader, byNode)) [byFastReader, byNode] = await both(700);
      expect(byFastReader).toEqual(byNode);
    }
    expect(gateway.fastReaderCalls()).toBeGreaterThanOrEqual(60);
  });

  test("is closed if it sends nothing in time, and if it is idle for longer than its keep-alive time", async () => {
    const silent = await rawConnection((await startWithFastReader({ serverLimits: { sniffTimeoutMs: 50 } })).port);
    await silent.closed;
    const gateway = await startWithFastReader({ serverLimits: { keepAliveTimeoutMs: 100 } });
    const idle = await rawConnection(gateway.port);
    idle.socket.write(nearest(1));
    await expect.poll(idle.received).toContain("Keep-Alive: timeout=0");
    await idle.closed;
    await expect.poll(async () => (await gateway.metrics.connections.get()).values[0]?.value).toBe(0);
  });

  test("is not idle while a call is in progress", async () => {
    const release = Promise.withResolvers<void>();
    const gateway = await startWithFastReader({ serverLimits: { keepAliveTimeoutMs: 10 }, onFindNearest: () => release.promise });
    const [{ socket, received }, idle] = [await rawConnection(gateway.port), await rawConnection(gateway.port)];
    socket.write(nearest(1));
    await expect.poll(() => gateway.metrics.inHand.unary).toBe(1);
    idle.socket.write(post(check, "{}"));
    await idle.closed;
    expect(idle.received()).toContain("SERVING");
    release.resolve();
    await expect.poll(received).toContain('"freeToPromise":1');
  });

  test.each(["POST /grpc.health", post(check, '{"service":"a"}').slice(0, -3)])(
    "that sends %j and no more is answered by the time limits of Node's server",
    async (beginning) => {
      const { port } = await startWithFastReader({ serverLimits: { headersTimeoutMs: 100, requestTimeoutMs: 200 } });
      const { socket, received, closed } = await rawConnection(port);
      socket.write(beginning);
      await closed;
      expect(received()).toMatch(/^HTTP\/1.1 408 /);
      expect(reasonInJson(received().split("\r\n\r\n")[1] ?? "")).toBe("DEADLINE_EXCEEDED");
    },
  );

  test("waits for a missing body as long as the call's deadline allows, not longer", async () => {
    const { port, fastReaderCalls } = await startWithFastReader({ limits: { defaultTimeoutMs: 300 } });
    const { socket, received } = await rawConnection(port);
    socket.write(post(findNearest, "{}").slice(0, -1));
    await expect.poll(received).toMatch(/^HTTP\/1.1 504 .*300 ms/s);
    expect(fastReaderCalls()).toBe(0);
  });

  test("whose client closes it aborts its call, which is recorded as canceled", async () => {
    const aborted = Promise.withResolvers<void>();
    const gateway = await startWithFastReader({
      onFindNearest: (signal) => {
        signal.addEventListener("abort", () => aborted.resolve());
        return new Promise(() => {});
      },
    });
    const { socket } = await rawConnection(gateway.port);
    socket.write(nearest(1));
    await expect.poll(() => gateway.metrics.inHand.unary).toBe(1);
    socket.destroy();
    await aborted.promise;
    expect(gateway.metrics.inHand.unary).toBe(0);
    expect(gateway.lines.find(({ msg }) => msg === "rpc")).toMatchObject({ code: "canceled", reason: "CANCELED" });
  });

  test("closes after the answer to the call in progress while the server stops", async () => {
    const release = Promise.withResolvers<void>();
    const gateway = await startWithFastReader({ onFindNearest: () => release.promise });
    const [fresh, idle, busy] = [await rawConnection(gateway.port), await rawConnection(gateway.port), await rawConnection(gateway.port)];
    idle.socket.write(post(check, "{}"));
    await expect.poll(idle.received).toContain("SERVING");
    busy.socket.write(nearest(1) + nearest(2));
    await expect.poll(() => gateway.metrics.inHand.unary).toBe(1);
    const stopped = gateway.server.close(60_000);
    await Promise.all([fresh.closed, idle.closed]);
    release.resolve();
    await busy.closed;
    await stopped;
    expect(busy.received()).toMatch(/^HTTP\/1.1 200 OK\r\nconnection: close\r\n/);
    expect(busy.received()).not.toMatch(/keep-alive/i);
    expect(count(busy.received(), "HTTP/1.1")).toBe(1);
  });

  test("works the same over TLS", async () => {
    const gateway = await startWithFastReader({ tls: true });
    const socket = connectTls({ port: gateway.port, host: "127.0.0.1", rejectUnauthorized: false, ALPNProtocols: ["http/1.1"] });
    await once(socket, "secureConnect");
    let received = "";
    socket.on("data", (chunk: Buffer) => {
      received += chunk.toString("latin1");
    });
    socket.write(nearest(1) + nearest(2) + post(check, "{}"));
    await expect.poll(() => received).toMatch(/"freeToPromise":1.*"freeToPromise":2.*SERVING/s);
    expect(gateway.fastReaderCalls()).toBe(3);
    socket.write("GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    await once(socket, "close");
    expect(received).toContain('{"status":"live"}');
  });
});
