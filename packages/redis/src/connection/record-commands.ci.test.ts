import { startTestCluster, useRedis } from "@petak/testkit";
import { expect, onTestFinished, test } from "vitest";
import { type EndedCommand, inTrace } from "../tracing/call-trace.ts";
import { connectRedis, duplicateConnection, serverOf } from "./connect-redis.ts";
import { recordCommands } from "./record-commands.ts";

const redis = useRedis();
const onError = (error: Error) => expect.fail(error.message);

async function open() {
  const connection = connectRedis(redis.address, { onError });
  onTestFinished(() => connection.disconnect());
  await connection.connect();
  return connection;
}

function keepCommands() {
  const commands: EndedCommand[] = [];
  const trace = { traceparent: "", recordCommand: (command: EndedCommand) => void commands.push(command) };
  return { commands, trace };
}

test("each call's commands are recorded in its own trace, although they are sent together", async () => {
  const connection = await open();
  recordCommands(connection);
  const [one, two] = [keepCommands(), keepCommands()];
  const key = `${redis.keyPrefix}:secret`;
  await Promise.all([
    inTrace(one.trace, async () => {
      await connection.set(key, "s3cret");
      return await connection.getBuffer(key);
    }),
    inTrace(two.trace, () => connection.mget(key, `${key}2`)),
    connection.get(key),
  ]);
  expect(one.commands.map(({ operation, script, batchSize, error }) => [operation, script, batchSize, error])).toEqual([
    ["SET", "", 1, undefined],
    ["GET", "", 1, undefined],
  ]);
  expect(two.commands.map(({ operation }) => operation)).toEqual(["MGET"]);
  expect(one.commands.every(({ durationMs }) => durationMs > 0)).toBe(true);
  expect(JSON.stringify([one, two])).not.toMatch(/s[e3]cret/);
});

test("a command that fails is recorded, and its error is the caller's", async () => {
  const connection = await open();
  recordCommands(connection);
  const { commands, trace } = keepCommands();
  const key = `${redis.keyPrefix}:list`;
  await connection.rpush(key, "one");
  await expect(inTrace(trace, () => connection.get(key))).rejects.toThrow("WRONGTYPE");
  expect(commands).toMatchObject([{ operation: "GET", error: { message: expect.stringMatching(/^WRONGTYPE/) } }]);
});

test("a connection to the same server records too, and others do not", async () => {
  const connection = await open();
  const { commands, trace } = keepCommands();
  await inTrace(trace, () => connection.exists("nothing"));
  expect(commands).toEqual([]);
  recordCommands(connection);
  if (!("stream" in connection)) throw new Error("a cluster");
  const another = duplicateConnection(connection, { onError });
  onTestFinished(() => another.disconnect());
  await another.connect();
  await inTrace(trace, () => another.exists("nothing"));
  expect(commands).toMatchObject([{ operation: "EXISTS" }]);
});

test("commands to a cluster are recorded once, by its connection and by those to one of its servers", async () => {
  const cluster = await startTestCluster();
  onTestFinished(() => cluster.stop());
  const connection = connectRedis(cluster.address, { onError: () => undefined });
  onTestFinished(() => connection.disconnect());
  recordCommands(connection);
  await connection.connect();
  const { commands, trace } = keepCommands();
  await inTrace(trace, () => connection.set("{a}:key", "one"));
  expect(commands.map(({ operation }) => operation)).toEqual(["SET"]);
  const server = serverOf(connection, "{a}:key") ?? expect.fail("no server has the slot");
  const another = duplicateConnection(server, { onError });
  onTestFinished(() => another.disconnect());
  await another.connect();
  await inTrace(trace, () => another.get("{a}:key"));
  expect(commands.map(({ operation }) => operation)).toEqual(["SET", "GET"]);
});
