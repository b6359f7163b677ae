import { expect, test } from "vitest";
import { http2Request, rawConnection, reasonInJson } from "../testing/raw-http.ts";
import { startTestGateway } from "../testing/test-gateway.ts";

const findNearest = "/petak.v1.DirectoryService/FindNearest";

test("/livez, /readyz and / answer GET and HEAD, over HTTP/1.1 and HTTP/2", async () => {
  const { baseUrl, port, health } = await startTestGateway({ checks: { redis: () => {} } });
  expect(await (await fetch(`${baseUrl}/livez`)).json()).toEqual({ status: "live" });
  expect(await (await fetch(`${baseUrl}/readyz?verbose`)).json()).toEqual({ status: "ready", checks: { redis: "ok" } });
  expect(await (await fetch(baseUrl)).text()).toMatch(/^This is a Petak gateway/);
  expect(await (await fetch(baseUrl, { headers: { accept: "text/html" } })).text()).toMatch(
    /^<!doctype html>.*name="viewport".*content="light dark"/,
  );
  const head = await fetch(`${baseUrl}/livez`, { method: "HEAD" });
  expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([200, "18", ""]);
  expect((await http2Request(port, { ":path": "/livez", ":method": "GET" })).body.toString()).toBe('{"status":"live"}\n');
  health.setServing(false);
  const stopping = await fetch(`${baseUrl}/readyz`);
  expect([stopping.status, await stopping.json()]).toEqual([503, { status: "stopping", checks: { redis: "ok" } }]);
});

test("/readyz says which check fails, but not why", async () => {
  const check = () => Promise.reject(new Error("connect ECONNREFUSED 10.0.0.7:6379"));
  const { baseUrl, lines } = await startTestGateway({ checks: { redis: check } });
  const response = await fetch(`${baseUrl}/readyz`);
  expect([response.status, await response.json()]).toEqual([503, { status: "failing", checks: { redis: "failing" } }]);
  expect(JSON.stringify(lines)).toContain("ECONNREFUSED");
});

test("a change of readiness is logged once, however often it is asked for", async () => {
  let isAway = true;
  const check = () => {
    if (isAway) throw new Error("redis.example:6379 does not answer");
  };
  const { baseUrl, lines } = await startTestGateway({ checks: { redis: check, secrets: () => {} } });
  for (isAway of [true, true, false, false, true]) await fetch(`${baseUrl}/readyz`);
  const away = { level: 40, msg: "not ready", check: "redis", reason: "redis.example:6379 does not answer" };
  const told = lines.filter(({ check: name }) => name !== undefined);
  expect(told).toEqual([away, { level: 30, msg: "ready again", check: "redis" }, away].map((line) => expect.objectContaining(line)));
  expect(JSON.stringify(told)).not.toContain("stack");
});

test("an unknown path is answered with 404, a wrong method with 405, both with a reason", async () => {
  const { baseUrl } = await startTestGateway();
  for (const path of ["/nothing", "/metrics", "//", "/%00", "/petak.v1.DirectoryService/FindNearest/", "/constructor", "/__proto__"]) {
    const response = await fetch(`${baseUrl}${path}`);
    expect([path, response.status, reasonInJson(await response.text())]).toEqual([path, 404, "METHOD_NOT_FOUND"]);
  }
  const post = await fetch(`${baseUrl}/livez`, { method: "POST", body: "x" });
  expect([post.status, post.headers.get("allow"), reasonInJson(await post.text())]).toEqual([405, "GET, HEAD", "METHOD_NOT_FOUND"]);
});

test("a request target may be a whole URL", async () => {
  const { port } = await startTestGateway();
  const { socket, received, closed } = await rawConnection(port);
  socket.write("GET http://gateway.example/livez HTTP/1.1\r\nHost: gateway.example\r\nConnection: close\r\n\r\n");
  await closed;
  expect(received()).toContain('{"status":"live"}');
});

test("a page of another origin may send calls and read answers and errors", async () => {
  const { baseUrl } = await startTestGateway();
  const origin = "https://shop.example";
  const preflight = await fetch(`${baseUrl}${findNearest}`, {
    method: "OPTIONS",
    headers: {
      origin,
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization,connect-protocol-version",
    },
  });
  expect(preflight.status).toBe(204);
  expect(Object.fromEntries(preflight.headers)).toMatchObject({
    "access-control-allow-origin": origin,
    "access-control-allow-methods": "POST, GET",
    "access-control-max-age": "7200",
    vary: "Origin",
  });
  const allowed = preflight.headers.get("access-control-allow-headers")?.toLowerCase();
  for (const name of [
    "authorization",
    "content-type",
    "connect-protocol-version",
    "connect-timeout-ms",
    "x-grpc-web",
    "x-user-agent",
    "grpc-timeout",
    "traceparent",
  ]) {
    expect(allowed).toContain(name);
  }
  for (const [path, body] of [
    [findNearest, "{"],
    ["/nothing", "{}"],
  ] as const) {
    const error = await fetch(`${baseUrl}${path}`, { method: "POST", headers: { origin, "content-type": "application/json" }, body });
    expect(error.headers.get("access-control-allow-origin")).toBe(origin);
    expect(error.headers.get("access-control-expose-headers")?.toLowerCase()).toContain("grpc-status-details-bin");
    expect(error.headers.get("access-control-expose-headers")).toContain("x-request-id");
    expect(error.headers.get("access-control-allow-credentials")).toBeNull();
  }
});

test("a valid request id is echoed, an invalid one replaced, on errors too", async () => {
  const { baseUrl } = await startTestGateway();
  const idFor = async (sent: string | undefined, path: string) => {
    const response = await fetch(`${baseUrl}${path}`, { headers: sent === undefined ? {} : { "x-request-id": sent } });
    return response.headers.get("x-request-id");
  };
  for (const path of ["/livez", "/nothing", findNearest]) {
    expect(await idFor("order-7.retry_2", path)).toBe("order-7.retry_2");
    for (const bad of [undefined, "", "a b", "x".repeat(65), "<script>"]) {
      expect(await idFor(bad, path)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/);
    }
  }
});

test("a client that offers to upgrade to HTTP/2 is answered over HTTP/1.1", async () => {
  const { port } = await startTestGateway();
  const { socket, received, closed } = await rawConnection(port);
  socket.write(
    "GET /livez HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n",
  );
  await expect.poll(received).toContain('{"status":"live"}');
  socket.end();
  await closed;
});
