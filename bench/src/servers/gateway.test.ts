import { join } from "node:path";
import { startRedisServer } from "@petak/redis/server";
import { tempDir } from "@petak/testkit";
import { expect, onTestFinished, test } from "vitest";
import { findNearestCall, readFindNearest } from "../rpc/cases.ts";
import { startPinned } from "../rpc/pinned-process.ts";

// The benches pin processes with taskset, which only Linux has.
test.runIf(process.platform === "linux")("the gateway of the benches finds the sites that were loaded before it started", async () => {
  const redis = await startRedisServer({ dataDir: join(await tempDir(), "redis") });
  onTestFinished(() => redis.stop());
  const gateway = await startPinned(0, join(import.meta.dirname, "gateway.ts"), [redis.socketPath, "20"]);
  onTestFinished(() => gateway.stop());
  const { url, headers, body } = findNearestCall(gateway.ready.port, "Connect JSON", String(gateway.ready.authorization));
  const response = await fetch(url, { method: "POST", headers, body: Buffer.from(body ?? []) });
  expect(readFindNearest("Connect JSON", new Uint8Array(await response.arrayBuffer())).options).toHaveLength(5);
});
