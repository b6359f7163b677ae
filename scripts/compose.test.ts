import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { repositoryDir, run } from "./setup/run.mjs";

interface Service {
  image: string;
  user?: string;
  read_only?: boolean;
  cap_drop?: string[];
  network_mode?: string;
  networks?: Record<string, unknown>;
  ports?: { host_ip?: string; target: number }[];
  environment?: Record<string, string>;
  command?: string[];
}

interface Compose {
  services: Record<string, Service>;
  networks: Record<string, { internal?: boolean }>;
}

/** Docker's own reader, as a program of its own (Debian's `docker-compose`) or as part of docker. Undefined: neither is there. */
async function readCompose(env: Record<string, string> = {}): Promise<Compose | undefined> {
  for (const command of [["docker-compose"], ["docker", "compose"]]) {
    const [program = "", ...args] = command;
    if ((await run(program, [...args, "version"])).code !== 0) continue;
    const config = ["--file", join(repositoryDir, "docker-compose.yml"), "config", "--format", "json"];
    const { code, output } = await run(program, [...args, ...config], { env });
    expect([code, output]).toEqual([0, expect.anything()]);
    return JSON.parse(output) as Compose;
  }
  return undefined;
}

const compose = await readCompose();

test.skipIf(compose === undefined)("only the gateway is reachable from outside, on loopback, and Redis is on an internal network", () => {
  const { services = {}, networks = {} } = compose ?? {};
  expect(Object.keys(services).sort()).toEqual(["access", "gateway", "redis"]);
  expect(services.gateway?.ports).toMatchObject([{ host_ip: "127.0.0.1", target: 8420 }]);
  expect([services.redis?.ports, services.access?.ports]).toEqual([undefined, undefined]);
  expect(Object.keys(services.redis?.networks ?? {})).toEqual(["store"]);
  expect(networks.store?.internal).toBe(true);
  expect(services.access?.network_mode).toBe("none");
});

test.skipIf(compose === undefined)("each container has a read-only root, no capability, and an image with a full version", () => {
  for (const [name, { image, read_only: isReadOnly, cap_drop: dropped }] of Object.entries(compose?.services ?? {})) {
    expect([name, isReadOnly, dropped]).toEqual([name, true, ["ALL"]]);
    expect(image).toMatch(/:\d+\.\d+\.\d+(-\w+)?$/);
  }
});

test.skipIf(compose === undefined)("Redis evicts nothing, and has a limit that a variable sets", async () => {
  const settings = ({ services = {} }: Partial<Compose> = {}) => services.redis?.command?.join(" ");
  expect(settings(compose)).toContain("--maxmemory 1gb --maxmemory-policy noeviction");
  expect(settings(await readCompose({ REDIS_MAXMEMORY: "4gb" }))).toContain("--maxmemory 4gb ");
});

test("no password is in the files", () => {
  const text = readFileSync(join(repositoryDir, "docker-compose.yml"), "utf8");
  expect(text).not.toMatch(/redis:\/\/\S*:\S+@|requirepass|PASSWORD/);
});

test("the operator's guide pins the Redis image that is used", () => {
  const [, image = "none"] =
    /^x-redis-image: &redis-image (\S+)$/m.exec(readFileSync(join(repositoryDir, "docker-compose.yml"), "utf8")) ?? [];
  expect(readFileSync(join(repositoryDir, "docs/guides/operator.md"), "utf8")).toContain(
    `docker image inspect --format '{{index .RepoDigests 0}}' ${image}\``,
  );
});
