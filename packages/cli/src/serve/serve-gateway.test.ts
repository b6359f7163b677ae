import { randomUUID } from "node:crypto";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { createPetakClient, readKeyFile, signerOfKeyFile } from "@petak/client/node";
import { createLogger, loadConfig } from "@petak/gateway";
import { connectRedis } from "@petak/redis";
import { startTestServer, tempDir } from "@petak/testkit";
import { expect, onTestFinished, test, vi } from "vitest";
import { type ServedGateway, serveGateway } from "./serve-gateway.ts";

async function serve(flags: Record<string, string> = {}): Promise<ServedGateway> {
  const { dataDir = join(await tempDir(), "data") } = flags;
  const config = loadConfig({ flags: { port: "0", ...flags, dataDir }, env: {} });
  const served = await serveGateway(config, dataDir, createLogger({ level: "silent" }));
  onTestFinished(() => served.stop());
  return served;
}

const hasIpv6 = Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === "::1"));

test.skipIf(!hasIpv6).each(["::1", "::"])("a gateway that listens on %s is reached at its address", async (host) => {
  const { url } = await serve({ host });
  expect(url).toMatch(/^http:\/\/\[::1\]:\d+$/);
  expect((await fetch(`${url}/.well-known/petak/jwks.json`)).status).toBe(200);
});

test("the private server ends even if the gateway cannot be stopped", async () => {
  const served = await serve();
  const { stop } = served.gateway;
  served.gateway.stop = async () => {
    await stop();
    throw new Error("no");
  };
  await expect(served.stop()).rejects.toThrow("no");
  await expect(served.redis?.exited).resolves.toBeDefined();
  served.gateway.stop = stop;
});

test("each network has an audience of its own, which its gateways share and key files contain", async () => {
  const dataDir = join(await tempDir(), "data");
  const [one, staging] = [await serve({ dataDir }), await serve()];
  expect(one.gateway.audience).toMatch(/^petak-[0-9a-z]{16}$/);
  expect(one.admin.keyFile.audience).toBe(one.gateway.audience);
  expect(await readKeyFile(join(dataDir, "keys/admin.json"))).toEqual(one.admin.keyFile);
  // A second gateway over the same store.
  const redisUrl = `unix://${one.redis?.socketPath}`;
  const second = await serve({ dataDir, redisUrl });
  expect(second.gateway.audience).toBe(one.gateway.audience);
  // A token for the staging network, by a key that is registered in both.
  const keyFile = { ...one.admin.keyFile, audience: staging.gateway.audience };
  const client = createPetakClient({ baseUrl: one.url, signer: signerOfKeyFile(keyFile) });
  onTestFinished(() => client.close());
  await expect(client.participants.getParticipant({})).rejects.toThrow("aud must be");
});

test("a configured audience replaces the one in the administrator's key file", async () => {
  const dataDir = join(await tempDir(), "data");
  const first = await serve({ dataDir });
  await first.stop();
  const { gateway } = await serve({ dataDir, audience: "gateway.example" });
  expect(gateway.audience).toBe("gateway.example");
  expect((await readKeyFile(join(dataDir, "keys/admin.json"))).audience).toBe("gateway.example");
});

test("an administrator's key that was revoked is refused with the path of its file", async () => {
  const dataDir = join(await tempDir(), "data");
  const { admin, url, stop } = await serve({ dataDir });
  const client = createPetakClient({ baseUrl: url, signer: signerOfKeyFile(admin.keyFile) });
  await client.participants.revokeKey({ requestId: randomUUID(), keyId: admin.keyFile.key_id });
  client.close();
  await stop();
  await expect(serve({ dataDir })).rejects.toThrow(/^\/.*\/keys\/admin\.json cannot be used: .* was revoked at /);
});

test("a gateway with other secrets does not share another's store", async () => {
  const { redis } = await serve();
  await expect(serve({ redisUrl: `unix://${redis?.socketPath}` })).rejects.toThrow(
    / does not have the secrets of the gateways that used this Redis/,
  );
});

test("an unexpected end of the private server is logged and reported, with its last lines", async () => {
  const lines: string[] = [];
  const dataDir = join(await tempDir(), "data");
  const config = loadConfig({ flags: { port: "0", dataDir, shutdownGraceMs: "0" }, env: {} });
  const logger = createLogger({ destination: { write: (line) => void lines.push(line) } });
  const served = await serveGateway(config, dataDir, logger);
  onTestFinished(() => served.stop());
  process.kill(served.redis?.pid ?? 0, "SIGTERM");

  const { message } = await served.ended;
  expect(message).toMatch(
    /^The private Redis server ended by itself, with code 0, and the gateway with it\. Its last words: \w+ is now ready to exit, bye bye/,
  );
  const told = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(told).toContainEqual(
    expect.objectContaining({
      msg: "the private redis ended by itself",
      level: 60,
      code: 0,
      last_lines: expect.arrayContaining([expect.stringMatching(/SIGTERM/)]),
    }),
  );
  // What Redis warns of is not lost either: here that it was told to end.
  expect(told).toContainEqual(expect.objectContaining({ msg: "private redis", level: 40, line: expect.stringMatching(/bye bye/) }));
});

test("a gateway that must not use the data any more stops, and says why to whoever started it", async () => {
  const served = await serve({ shutdownGraceMs: "0" });
  const redis = connectRedis({ socketPath: served.redis?.socketPath ?? "" }, { onError: () => undefined });
  await redis.connect();
  await redis.hset("petak:data-version", "newest", 1000);
  // It looks at the version when it is connected again.
  await redis.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
  redis.disconnect();
  expect((await served.ended).message).toMatch(
    /^The data in Redis has version 1000 and this release reads (only version \d+|versions \d+ to \d+): start a later /,
  );
  await expect(fetch(`${served.url}/readyz`)).rejects.toThrow();
});

test("a broken connection to Redis is logged, and its recovery too", async () => {
  const messages: string[] = [];
  const dataDir = join(await tempDir(), "data");
  const config = loadConfig({ flags: { port: "0", dataDir, shutdownGraceMs: "0" }, env: {} });
  const logger = createLogger({ destination: { write: (line) => void messages.push((JSON.parse(line) as { msg: string }).msg) } });
  const served = await serveGateway(config, dataDir, logger);
  onTestFinished(() => served.stop());
  const tool = connect(served.redis?.socketPath ?? "");
  tool.write("CLIENT KILL TYPE normal SKIPME yes\r\n");
  await vi.waitFor(
    () => expect(messages).toContainEqual(expect.stringMatching(/^Redis (was unreachable for|is reachable again after) \d/)),
    60_000,
  );
  tool.destroy();
});

test("an unreachable Redis is named, without its password", async () => {
  // Nobody listens there, and no test that starts meanwhile may.
  const port = 1;
  const failure = serve({ redisUrl: `redis://petak:secret@127.0.0.1:${port}` });
  await expect(failure).rejects.toThrow(
    `Redis, redis://127.0.0.1:${port}, is unreachable: nothing listens at its address; start it (connect ECONNREFUSED 127.0.0.1:${port}).`,
  );
  await expect(failure).rejects.not.toThrow("secret");
});

test("a Redis that rejects writes is named at the start, with the cause and the remedy", async () => {
  await using server = await startTestServer();
  const tool = connectRedis({ socketPath: server.options.path }, { onError: () => undefined });
  await tool.connect();
  await tool.config("SET", "maxmemory", "1");
  tool.disconnect();
  await expect(serve({ redisUrl: server.url })).rejects.toThrow(
    new RegExp(`^Redis, ${server.url}, rejects writes: its memory has reached maxmemory; raise that .* \\(OOM .*\\)\\.$`),
  );
});
