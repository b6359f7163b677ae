import { createTempDir, createTestAuthority, type TempDir, type TestAuthority } from "@petak/testkit";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { runPetak, startPetak } from "../testing/petak-process.ts";
import { type RedisProcess, startRedis } from "../testing/redis-process.ts";

/** A Redis that speaks TLS only, by a certificate of an authority that is nobody's but the operator's. */

let folder: TempDir;
let authority: TestAuthority;
let server: RedisProcess;
let address: string;

beforeAll(async () => {
  folder = await createTempDir();
  authority = await createTestAuthority(folder.path, "root");
  const { cert, key } = await authority.issue("localhost");
  server = await startRedis((port) => [
    ...["--port", "0", "--tls-port", `${port}`, "--tls-auth-clients", "no"],
    ...["--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", authority.ca],
    ...["--dir", folder.path, "--appendonly", "yes", "--save", "", "--maxmemory-policy", "noeviction", "--requirepass", "a/b@c"],
  ]);
  address = `rediss://default:${encodeURIComponent("a/b@c")}@localhost:${server.port}`;
});
afterAll(async () => {
  await server?.kill();
  await folder.remove();
});

it("says which setting trusts the authority of Redis", async () => {
  const { exitCode, stderr } = await runPetak(folder.path, ["gateway", "--port", "0", "--redis-url", address]);
  expect(exitCode).not.toBe(0);
  expect(stderr).toContain("give the root of its authority in NODE_EXTRA_CA_CERTS");
  expect(stderr).not.toContain("a/b@c");
});

it("takes a parcel through a network whose Redis is behind TLS", async () => {
  const start = ["start", "--port", "0", "--demo-sites", "20", "--redis-url", address];
  const gateway = await startPetak(folder.path, start, /Stop with Ctrl-C/, { NODE_EXTRA_CA_CERTS: authority.ca });
  onTestFinished(() => gateway.kill());
  const url = /running at (\S+)/.exec(gateway.said())?.[1] ?? "";
  expect(await runPetak(folder.path, ["--url", url, "journey"])).toMatchObject({ exitCode: 0 });
  expect(await gateway.interrupt()).toBe(0);
});
