import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Role } from "@petak/protocol";
import { createRandom, freePort, makeSite } from "@petak/testkit";
import { startTestNetwork, type TestNetwork } from "@petak/testkit/network";
import { replaceSection } from "../docs-section.ts";
import { median } from "../median.ts";
import { treeCpuSeconds } from "../process-cpu.ts";
import { findNearestAllOverCall, findNearestCall, reserveCall } from "../rpc/cases.ts";
import { type LoadRequest, loadHttp1 } from "../rpc/generators.ts";

const root = join(import.meta.dirname, "../../..");
const petak = join(root, "packages/cli/bin/petak.mjs");
const siteCount = 3000;

const calls: readonly (readonly [what: string, request: (port: number, authorization: string) => LoadRequest])[] = [
  ["FindNearest from one place, repeated", (port, authorization) => findNearestCall(port, "Connect JSON", authorization)],
  ["FindNearest from all over the city", (port, authorization) => findNearestAllOverCall(port, "Connect JSON", authorization)],
  ["Reserve the nearest", reserveCall],
];

interface Options {
  seconds: number;
  rounds: number;
  json: boolean;
  isDry: boolean;
}

/** Compares a gateway with one worker and with two over one store, by turns. Generator, Redis and workers share the machine. */
export async function benchWorkers({ seconds, rounds, json, isDry }: Options): Promise<void> {
  const network = await startTestNetwork();
  const operator = await network.join("Operator", [Role.OPERATOR]);
  const courier = await network.join("Courier", [Role.COURIER]);
  await putSites(network, operator);
  const gateways = [await startGateway(network, 1), await startGateway(network, 2)] as const;
  const rates = calls.map(() => [[], []] as [number[], number[]]);
  const cpuUs = calls.map(() => [[], []] as [number[], number[]]);
  try {
    // The first round warms everything up, and is not counted.
    for (let round = 0; round <= rounds; round += 1) {
      for (const [index, [, request]] of calls.entries()) {
        for (const [turn, { port, child }] of gateways.entries()) {
          const before = treeCpuSeconds(child.pid ?? 0);
          const { requestsPerSecond } = await loadHttp1(
            `0-${availableParallelism() - 1}`,
            seconds,
            request(port, await courier.signer.authorization()),
          );
          if (round === 0) continue;
          rates[index]?.[turn]?.push(requestsPerSecond);
          cpuUs[index]?.[turn]?.push(((treeCpuSeconds(child.pid ?? 0) - before) * 1e6) / (requestsPerSecond * seconds));
        }
      }
    }
  } finally {
    await Promise.all(gateways.map(({ stop }) => stop()));
    await network.stop();
  }
  const report = {
    node: process.version,
    cores: availableParallelism(),
    calls: calls.map(([what], index) => {
      const [one = 0, two = 0] = rates[index]?.map(median) ?? [];
      const [oneUs = 0, twoUs = 0] = cpuUs[index]?.map(median) ?? [];
      return {
        what,
        one: Math.round(one),
        two: Math.round(two),
        ratio: Number((two / one).toFixed(2)),
        oneUs: Math.round(oneUs),
        twoUs: Math.round(twoUs),
      };
    }),
  };
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : `${textOf(report)}\n`);
  if (isDry || json) return;
  await mkdir(join(root, "bench/results"), { recursive: true });
  await writeFile(join(root, "bench/results/workers.json"), `${JSON.stringify(report, undefined, 2)}\n`);
  await replaceSection(join(root, "docs/performance.md"), "npm run bench -- workers", textOf(report));
}

async function putSites(network: TestNetwork, operator: Awaited<ReturnType<TestNetwork["join"]>>): Promise<void> {
  const random = createRandom(1);
  const sites = Array.from({ length: siteCount }, (_, index) =>
    makeSite({
      ref: `${index}`,
      latitude: random.float(1.24, 1.46),
      longitude: random.float(103.61, 104.03),
      classes: [["M", 400, 200, 500, 20_000, 250]],
    }),
  );
  for (let from = 0; from < sites.length; from += 100) await network.putSites(operator, ...sites.slice(from, from + 100));
}

/** Starts `petak gateway` over the network's store. */
async function startGateway(network: TestNetwork, workers: number) {
  const { redis, dataDir } = network.shared;
  const port = await freePort();
  const flags = {
    port,
    workers,
    "redis-url": `unix://${"socketPath" in redis ? redis.socketPath : ""}`,
    "data-dir": dataDir,
    audience: "petak-test",
    "durability-check": "warn",
    "log-level": "warn",
    "holds-site-percent": 100,
    "holds-region-max": 1_000_000,
    "holds-all-max": 1_000_000,
    management: `127.0.0.1:${await freePort()}`,
  };
  const args = ["gateway", ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, `${value}`])];
  const child: ChildProcess = spawn(process.execPath, [petak, ...args], { cwd: dataDir, stdio: ["ignore", "ignore", "inherit"] });
  while (!(await isReady(port))) await new Promise((resolve) => setTimeout(resolve, 100));
  return {
    port,
    child,
    async stop() {
      const exited = once(child, "exit");
      child.kill("SIGINT");
      await exited;
    },
  };
}

async function isReady(port: number): Promise<boolean> {
  return await fetch(`http://127.0.0.1:${port}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  );
}

interface Report {
  node: string;
  cores: number;
  calls: { what: string; one: number; two: number; ratio: number; oneUs: number; twoUs: number }[];
}

function textOf({ node, cores, calls: measured }: Report): string {
  const rows = measured.map(
    ({ what, one, two, ratio, oneUs, twoUs }) =>
      `| ${what} | ${(one / 1000).toFixed(1)} | ${(two / 1000).toFixed(1)} | ${ratio.toFixed(2)} | ${oneUs} | ${twoUs} |`,
  );
  return [
    `Node ${node}, ${cores} cores for generator, Redis and gateway together; Connect JSON over HTTP/1.1, ${siteCount} sites.`,
    "",
    "| call | one worker, thousand a second | two workers | ratio | µs CPU of the gateway a call | with two |",
    "|---|---|---|---|---|---|",
    ...rows,
  ].join("\n");
}
