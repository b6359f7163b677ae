import { startTestServer, type TestServer } from "@petak/testkit";
import type { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { connectRedis, duplicateConnection } from "./connect-redis.ts";

const commandTimeoutMs = 400;
const blockedMs = 1000;

let server: TestServer;
/** One as a gateway has it, and one as it has them to the servers of a cluster, which a silent server loses as a whole. */
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

/** Asks over each connection, and resolves when the questions have been written. */
async function ask(): Promise<{ answers: Promise<PromiseSettledResult<string | null>[]> }> {
  const answers = Promise.allSettled(connections.map((connection) => connection.get("petak:any")));
  await new Promise(setImmediate);
  return { answers };
}

/** Keeps this process from doing anything else. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

it("an answer that arrived while this process was blocked for longer than the time-out is taken", async () => {
  const { answers } = await ask();
  block(blockedMs);
  expect(await answers).toEqual(connections.map(() => ({ status: "fulfilled", value: "here" })));
  expect(closes).toBe(0);
});

it("a server that stood still with this process gets as long again to answer", async () => {
  process.kill(server.pid, "SIGSTOP");
  const { answers } = await ask();
  block(blockedMs);
  process.kill(server.pid, "SIGCONT");
  expect(await answers).toEqual(connections.map(() => ({ status: "fulfilled", value: "here" })));
  expect(closes).toBe(0);
});

it("a server that hangs is given up, also by a process that was blocked", async () => {
  process.kill(server.pid, "SIGSTOP");
  try {
    const { answers } = await ask();
    block(blockedMs);
    expect((await answers).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    const again = await ask();
    expect((await again.answers).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  } finally {
    process.kill(server.pid, "SIGCONT");
  }
});
