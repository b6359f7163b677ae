import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { runPetak } from "@petak/cli/testing/run-petak";
import { connectRedis } from "@petak/redis";
import { createTempDir } from "@petak/testkit";
import { expect, it } from "vitest";

it("names a private Redis that dies while the demonstration is prepared, and is not ready before", async () => {
  await using folder = await createTempDir();
  const running = runPetak(["start", "--port", "0", "--demo-sites", "3000"], { cwd: folder.path });
  let port: unknown;
  await expect.poll(async () => (port = await portIn(join(folder.path, ".petak/gateway.log")))).toBeDefined();
  const pid = await pidOf(join(folder.path, ".petak/redis/server.sock"));
  try {
    // Nothing goes on meanwhile, so it is seen unprepared however fast the machine is.
    process.kill(pid, "SIGSTOP");
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`);
    expect([answer.status, await answer.json()]).toMatchObject([503, { status: "failing", checks: { demonstration: "failing" } }]);
  } finally {
    process.kill(pid, "SIGKILL");
  }
  const { exitCode, stderr } = await running;
  expect(stderr).toMatch(/^petak: The private Redis server ended by itself, by SIGKILL, and the gateway with it/m);
  expect(exitCode).toBe(1);
});

/** The port on which the gateway of a log listens. Undefined: it does not listen yet. */
async function portIn(logPath: string): Promise<unknown> {
  const lines = (await readFile(logPath, "utf8").catch(() => "")).split("\n").slice(0, -1);
  const entries = lines.map((line) => JSON.parse(line) as { msg: string; port?: number });
  return entries.find(({ msg }) => msg === "gateway listens")?.port;
}

/** The process of a Redis server. */
async function pidOf(socketPath: string): Promise<number> {
  const redis = connectRedis({ socketPath }, { onError: () => undefined });
  await redis.connect();
  const [, pid = ""] = /process_id:(\d+)/.exec(await redis.info("server")) ?? [];
  redis.disconnect();
  return Number(pid);
}
