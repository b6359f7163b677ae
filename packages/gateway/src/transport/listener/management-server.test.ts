import { connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { createLogger } from "../../observability/logger.ts";
import { createMetrics } from "../../observability/metrics.ts";
import { healthRoutes, metricsRoute, type PlainRoute } from "../plain-http/operational-routes.ts";
import { createManagementServer } from "./management-server.ts";

function createServer() {
  const logger = createLogger({ level: "silent" });
  const metrics = createMetrics({ processMetrics: false });
  const routes = healthRoutes({ logger, checks: {}, isServing: () => true }).set("/metrics", metricsRoute(metrics));
  const server = createManagementServer({ routes, logger, metrics });
  onTestFinished(() => server.close());
  return server;
}

const anyPort = { host: "127.0.0.1", port: 0 };

test("it serves metrics and health to GET and HEAD, and nothing else", async () => {
  const { port } = await createServer().listen(anyPort);
  const url = `http://127.0.0.1:${port}`;
  const metrics = await fetch(`${url}/metrics?name=x`);
  expect([metrics.headers.get("cache-control"), await metrics.text()]).toEqual([
    "no-store",
    expect.stringContaining("# TYPE petak_rpc_duration_seconds histogram"),
  ]);
  expect(await (await fetch(`${url}/livez`)).json()).toEqual({ status: "live" });
  expect(await (await fetch(`${url}/readyz`)).json()).toEqual({ status: "ready", checks: {} });
  expect((await fetch(`${url}/metrics`, { method: "HEAD" })).status).toBe(200);
  expect((await fetch(`${url}/metrics`, { method: "POST", body: "x" })).status).toBe(405);
  for (const path of ["/", "/openapi.json", "/petak.v1.DirectoryService/FindNearest", "/__proto__"]) {
    expect([path, (await fetch(`${url}${path}`)).status]).toEqual([path, 404]);
  }
});

test("a port in use is named with the flag that chooses another", async () => {
  const { port } = await createServer().listen(anyPort);
  await expect(createServer().listen({ host: "127.0.0.1", port })).rejects.toThrow(
    `127.0.0.1:${port} is in use by another program: stop it, or choose another port with --management.`,
  );
});

test("a connection that asks for thousands of pages at once is closed, and few are made", async () => {
  let made = 0;
  const routes = new Map<string, PlainRoute>([["/metrics", () => ({ contentType: "text/plain", body: `${++made}` })]]);
  const server = createManagementServer({
    routes,
    logger: createLogger({ level: "silent" }),
    metrics: createMetrics({ processMetrics: false }),
  });
  onTestFinished(() => server.close());
  const { port } = await server.listen(anyPort);
  const request = "GET /metrics HTTP/1.1\r\nhost: a\r\n\r\n";
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.resume().write(request.repeat(2000));
  await closed;
  expect(made).toBeLessThan(100);
  // One after the other they are answered over one connection.
  const answers = await Promise.all(Array.from({ length: 20 }, () => fetch(`http://127.0.0.1:${port}/metrics`).then((one) => one.text())));
  expect(answers).toHaveLength(20);
});

test("a connection that sends nothing does not delay the close", async () => {
  const server = createServer();
  const { port } = await server.listen(anyPort);
  const socket = connect(port, "127.0.0.1");
  const closed = new Promise((resolve) => socket.once("close", resolve));
  await new Promise((resolve) => socket.once("connect", resolve));
  await server.close();
  await closed;
});
