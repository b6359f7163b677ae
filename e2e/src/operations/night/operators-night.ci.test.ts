import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { tempDir } from "@petak/testkit";
import { expect, onTestFinished, test } from "vitest";
import { certify, type Incident, incidents, notHere } from "./incidents.ts";
import { type NightWorld, startNight } from "./night-world.ts";
import { hasPrometheus } from "./prometheus.ts";
import { blockOf, runBlock } from "./runbook.ts";

const deployDir = join(import.meta.dirname, "../../../../deploy");
const rules = await readFile(join(deployDir, "prometheus/petak.rules.yml"), "utf8");
const board = await readFile(join(deployDir, "grafana/petak.json"), "utf8");
const soon = { interval: 200, timeout: 120_000 };

/** The metrics of rules and board that have no value in this night, and why. */
const withoutValue: Readonly<Record<string, string>> = {
  petak_archived_total: "nothing is old enough",
  petak_issuer_certificates_end_seconds: "the operator has no root key",
};

test("each alert has an incident here or a reason why not", () => {
  const alerts = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name]) => name);
  const here = incidents.flat().map(({ alert }) => alert);
  expect([...here, ...Object.keys(notHere)].sort()).toEqual(alerts.sort());
});

test.skipIf(!hasPrometheus)(
  "an operator's night: alerts fire, the check of their sections shows what it is, and the remedy ends them",
  {
    timeout: 900_000,
  },
  async () => {
    const folder = await tempDir();
    const certificate = { cert: join(folder, "cert.pem"), key: join(folder, "key.pem") };
    await certify(certificate, 5);
    const world = await startNight(certificate);
    onTestFinished(() => world.stop());
    const over: Promise<unknown>[] = [];
    for (const group of incidents) {
      await Promise.all(
        group.map(async (incident) => {
          await live(world, incident);
          over.push(untilOver(world, incident));
        }),
      );
    }
    expect((await Promise.all(over)).filter((error) => error !== undefined)).toEqual([]);

    const names = new Set([...`${rules}${board}`.matchAll(/\b((?:petak|process|nodejs)_\w+)\{/g)].map(([, name = ""]) => name));
    expect(names.size).toBeGreaterThan(20);
    const pages = await Promise.all(
      [world.main, world.secure].map(async ({ management }) => (await fetch(`${management}/metrics`)).text()),
    );
    for (const name of names) {
      expect(pages.join("\n")).toContain(`# TYPE ${name.replace(/^(petak_rpc_duration_seconds)_\w+$/, "$1")} `);
      const found = await world.prometheus.query(`count(last_over_time(${name}{job="petak"}[15m]))`);
      expect({ name, isThere: found.length === 1 }).toEqual({ name, isThere: !(name in withoutValue) });
    }
  },
);

/** Lets something happen, and does what the runbook says. */
async function live(world: NightWorld, incident: Incident): Promise<void> {
  const { alert, begin, shows, runsCommand } = incident;
  const remedy = await begin(world);
  await expect.poll(() => urlOf(world, alert), { ...soon, message: alert }).toBeDefined();
  const url = (await urlOf(world, alert)) ?? "";
  await expect.poll(() => follow(world, incident, blockOf(url, "Check")), { ...soon, message: alert }).toMatch(shows);
  await remedy();
  if (runsCommand === true) await follow(world, incident, blockOf(url, "Command"));
}

/** Resolves when the alert does not fire any more, or with an error. */
async function untilOver(world: NightWorld, { alert }: Incident): Promise<unknown> {
  try {
    await expect.poll(() => urlOf(world, alert), { ...soon, message: alert }).toBeUndefined();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** The page of an alert that fires. */
async function urlOf({ prometheus }: NightWorld, alert: string): Promise<string | undefined> {
  return (await prometheus.firing()).get(alert);
}

/** Runs commands of the runbook, at the gateway of an incident. */
async function follow(world: NightWorld, { at = "main" }: Incident, block: string): Promise<string> {
  const { prometheus, server, archiveDir, certificate } = world;
  const gateway = world[at];
  const { host, port } = new URL(gateway.url);
  const places = {
    "PROMETHEUS:9090": prometheus.address,
    "127.0.0.1:8420": host,
    ":8420": `:${port}`,
    ARCHIVE_DIR: archiveDir,
    '"$PETAK_TLS_CERT"': certificate.cert,
  };
  const names = { management: gateway.management, log: await gateway.logFile(), redisSocket: server.options.path, places };
  return await runBlock(block, names, prometheus.directory);
}
