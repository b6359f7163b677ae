import { startTestServer, type TestServer } from "@petak/testkit";
import type { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { connectRedis, duplicateConnection } from "./connect-redis.ts";

const commandTimeoutMs = 400;
const blockedMs = 1000;

let server: TestServer;
/**
 * A connection as gateways use it, and one as they use it to the servers of a cluster, which is dropped as a whole if its server does not
 * respond.
 */
let connections: Redis[];
let closes: number;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());
beforeEach(async () => {
  const onError = () => undefined;
  const plain = connectRedis({ socketPath: server.options.path }, { onError, commandTimeoutMs });
  connections = [plain, duplicateConnection(plain, { onError, commandTimeoutMs })];
  await Promise.all(connections.map((connection) => connection.connect()));
  closes = 0;
  for (const connection of connections) connection.on("close", () => closes++);
  await connections[0]?.set("petak:any", "here");
});
afterEach(() => {
  for (const connection of connections) connection.disconnect();
});

/** Sends a command over each connection, and resolves when the commands have been written. */
async function send(): Promise<{ answers: Promise<PromiseSettledResult<string | null>[]> }> {
  const answers = Promise.allSettled(connections.map((connection) => connection.get("petak:any")));
  await new Promise(setImmediate);
  return { answers };
}

/** Blocks this process. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

it("a reply that arrived while this process was blocked for longer than the timeout is accepted", async () => {
  const { answers } = await send();
  block(blockedMs);
  expect(await answers).toEqual(connections.map(() => ({ status: "fulfilled", value: "here" })));
  expect(closes).toBe(0);
});

it("a server that was suspended together with this process gets the same time again", async () => {
  process.kill(server.pid, "SIGSTOP");
  const { answers } = await send();
  block(blockedMs);
  process.kill(server.pid, "SIGCONT");
  expect(await answers).toEqual(connections.map(() => ({ status: "fulfilled", value: "here" })));
  expect(closes).toBe(0);
});

it("a command to an unresponsive server fails, even in a process that was blocked", async () => {
  process.kill(server.pid, "SIGSTOP");
  try {
    const { answers } = await send();
    block(blockedMs);
    expect((await answers).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    const again = await send();
    expect((await again.answers).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  } finally {
    process.kill(server.pid, "SIGCONT");
  }
});
