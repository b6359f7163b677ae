import { ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { CustodyService, DirectoryService, fromConnectError } from "@petak/protocol";
import { describe, expect, test } from "vitest";
import { createLogger } from "../../observability/logger.ts";
import { rawConnection } from "../testing/raw-http.ts";
import { goodRequest, startTestGateway, transports } from "../testing/test-gateway.ts";
import { createOnePortServer } from "./one-port-server.ts";

describe.each(Object.entries(transports))("%s", (_name, transport) => {
  test.each([false, true])("a graceful stop finishes calls in progress (TLS: %s)", async (tls) => {
    const release = Promise.withResolvers<void>();
    const gateway = await startTestGateway({
      tls,
      onFindNearest: () => release.promise,
      watchEvents: async function* () {
        yield { cursor: "before" };
        await release.promise;
        yield { cursor: "after" };
      },
    });
    const found = createClient(DirectoryService, transport(gateway.baseUrl)).findNearest(goodRequest);
    const events = createClient(CustodyService, transport(gateway.baseUrl)).watchEvents({})[Symbol.asyncIterator]();
    expect((await events.next()).value).toMatchObject({ cursor: "before" });
    await expect.poll(async () => (await gateway.metrics.rpcInFlight.get()).values.map(({ value }) => value)).toEqual([1, 1]);
    gateway.shutdown.abort();
    const closed = gateway.server.close(60_000);
    await expect(fetch(`${gateway.baseUrl}/livez`)).rejects.toThrow();
    release.resolve();
    expect((await found).options).toHaveLength(1);
    expect((await events.next()).value).toMatchObject({ cursor: "after" });
    expect((await events.next()).done).toBe(true);
    await closed;
  });
});

test("a graceful stop closes idle connections at once, and busy ones when they have answered", async () => {
  const release = Promise.withResolvers<void>();
  const gateway = await startTestGateway({ onFindNearest: () => release.promise });
  const grpc = createGrpcTransport({ baseUrl: gateway.baseUrl });
  const silent = await rawConnection(gateway.port);
  const idle = await rawConnection(gateway.port);
  idle.socket.write("GET /livez HTTP/1.1\r\nHost: a\r\n\r\n");
  await expect.poll(idle.received).toContain("live");
  const busy = createClient(DirectoryService, grpc).findNearest(goodRequest);
  await expect.poll(async () => (await gateway.metrics.rpcInFlight.get()).values[0]?.value).toBe(1);
  let over = false;
  const closed = gateway.server.close(60_000).then(() => {
    over = true;
  });
  await Promise.all([silent.closed, idle.closed]);
  expect(over).toBe(false);
  release.resolve();
  expect((await busy).options).toHaveLength(1);
  await closed;
});

test("a graceful stop closes hanging connections after the grace period", async () => {
  const gateway = await startTestGateway({ onFindNearest: () => new Promise(() => {}) });
  const grpc = createGrpcTransport({ baseUrl: gateway.baseUrl });
  const hanging = createClient(DirectoryService, grpc).findNearest(goodRequest).catch(ConnectError.from);
  await expect.poll(async () => (await gateway.metrics.rpcInFlight.get()).values[0]?.value).toBe(1);
  const beganMs = performance.now();
  await gateway.server.close(300);
  expect(performance.now() - beganMs).toBeGreaterThan(250);
  expect(await hanging).toBeInstanceOf(ConnectError);
});

test("a stop with a stream that listens to its signal takes no grace period", async () => {
  const gateway = await startTestGateway({
    watchEvents: async function* (signal) {
      yield { cursor: "first" };
      await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    },
  });
  const events = createClient(CustodyService, createGrpcTransport({ baseUrl: gateway.baseUrl }))
    .watchEvents({})
    [Symbol.asyncIterator]();
  await events.next();
  gateway.shutdown.abort(new ConnectError("stopping", 14));
  const closed = gateway.server.close(30_000);
  const error = ConnectError.from(await events.next().catch((thrown: unknown) => thrown));
  expect(error.rawMessage).toBe("The gateway is shutting down. Send the same request again.");
  expect(fromConnectError(error)).toMatchObject({ reason: "SHUTTING_DOWN", retryAfterMs: 1000 });
  await closed;
});

test("a port in use, an unknown host and a bad certificate are reported in one sentence", async () => {
  const { port } = await startTestGateway();
  const logger = createLogger({ level: "silent" });
  const options = { requestListener: Object.assign(() => {}, { takeStream: () => false }), logger };
  await expect(createOnePortServer(options).listen({ host: "127.0.0.1", port })).rejects.toMatchObject({
    name: "ServerStartError",
    code: "EADDRINUSE",
    message: `127.0.0.1:${port} is in use by another program: stop it, or choose another port with --port.`,
  });
  await expect(createOnePortServer(options).listen({ host: "192.0.2.1", port: 0 })).rejects.toMatchObject({ code: "EADDRNOTAVAIL" });
  expect(() => createOnePortServer({ ...options, tls: { cert: "x", key: "y" } })).toThrow(/Check --tls-cert and --tls-key/);
});
