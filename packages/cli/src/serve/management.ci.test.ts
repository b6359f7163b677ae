import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { createLogger, loadConfig } from "@petak/gateway";
import { ServerReflectionV1 } from "@petak/protocol/grpc";
import { tempDir } from "@petak/testkit";
import { expect, onTestFinished, test } from "vitest";
import { type ServedGateway, serveGateway } from "./serve-gateway.ts";

async function serve(flags: Record<string, string> = {}): Promise<ServedGateway> {
  const dataDir = await tempDir();
  const config = loadConfig({ flags: { port: "0", dataDir, shutdownGraceMs: "0", ...flags } });
  const served = await serveGateway(config, dataDir, createLogger({ level: "silent" }));
  onTestFinished(() => served.stop());
  return served;
}

async function reflectedServices(url: string): Promise<string[]> {
  const client = createClient(ServerReflectionV1, createGrpcTransport({ baseUrl: url }));
  async function* question() {
    yield { messageRequest: { case: "listServices" as const, value: "" } };
  }
  for await (const { messageResponse: answer } of client.serverReflectionInfo(question())) {
    if (answer.case === "listServicesResponse") return answer.value.service.map(({ name }) => name);
  }
  return [];
}

test("metrics are on the management listener, which is on loopback, and not on the public port; health is on both", async () => {
  const { gateway, url, managementUrl, stop } = await serve();
  expect(gateway.managementAddress?.host).toBe("127.0.0.1");
  const metrics = await (await fetch(`${managementUrl}/metrics`)).text();
  expect(metrics).toMatch(/^petak_redis_up 1$/m);
  // It has no certificate.
  expect(metrics).not.toMatch(/^petak_tls_certificate_end_seconds/m);
  expect((await fetch(`${url}/metrics`)).status).toBe(404);
  for (const base of [url, managementUrl]) {
    expect((await fetch(`${base}/livez`)).status).toBe(200);
    expect(await (await fetch(`${base}/readyz`)).json()).toMatchObject({ status: "ready" });
  }
  await stop();
  await expect(fetch(`${managementUrl}/livez`)).rejects.toThrow();
});

test("the time of the last sweep goes on, and stops when the store is gone", async () => {
  const { managementUrl, redis } = await serve({ sweepIntervalMs: "100" });
  const sweptAt = async () => {
    const [, seconds = ""] =
      /^petak_sweep_completed_timestamp_seconds (\S+)$/m.exec(await (await fetch(`${managementUrl}/metrics`)).text()) ?? [];
    return Number(seconds);
  };
  const first = await sweptAt();
  await expect.poll(sweptAt).toBeGreaterThan(first);
  process.kill(redis?.pid ?? 0, "SIGKILL");
  await redis?.exited;
  const last = await sweptAt();
  await expect.poll(async () => (await fetch(`${managementUrl}/readyz`)).status).toBe(503);
  expect(await sweptAt()).toBeLessThanOrEqual(last + 1);
});

test("a management port in use ends the start, and the public port is closed", async () => {
  const taken = new URL(String((await serve()).managementUrl)).host;
  const servers = () => process.getActiveResourcesInfo().filter((kind) => kind === "TCPServerWrap").length;
  const before = servers();
  await expect(serve({ management: taken })).rejects.toThrow(`${taken} is in use by another program`);
  expect(servers()).toBe(before);
});

test("the public port answers server reflection only where the setting says so", async () => {
  await expect(reflectedServices((await serve()).url)).rejects.toThrow("[unimplemented]");
  expect(await reflectedServices((await serve({ reflection: "true" })).url)).toContain("petak.v1.DirectoryService");
});
