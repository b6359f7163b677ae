import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeKeyFile } from "@petak/client/node";
import { Role } from "@petak/protocol";
import type { Report } from "@petak/simulator";
import { createTempDir } from "@petak/testkit";
import { keyFileOf, startTestNetwork } from "@petak/testkit/network";
import { expect, test } from "vitest";
import { loadDemoNetwork } from "../src/demo/load.ts";
import { buildDemoNetwork } from "../src/demo/network.ts";
import { runPetak } from "../src/testing/run-petak.ts";

const minuteMs = 60_000;

/** The scale: all sites that the demonstration network has in Singapore, and a fifth of the parcels that `petak simulate` draws for them by default. */
const parcelsADay = 200;

test("a week of Singapore, with terminals that fail, is complete and breaks no rule", async () => {
  await using directory = await createTempDir();
  const folder = directory.path;
  const network = await startTestNetwork({ testClock: true, sweepIntervalMs: 24 * 60 * minuteMs, agentSyncIntervalMs: 60 * minuteMs });
  try {
    await mkdir(join(folder, "keys"));
    await writeKeyFile(join(folder, "keys/admin.json"), keyFileOf(network.admin));
    const { sitesByOperator, ...demo } = buildDemoNetwork();
    const inSingapore = [...sitesByOperator].map(
      ([key, sites]) => [key, sites.filter(({ address }) => address?.countryCode === "SG")] as const,
    );
    await loadDemoNetwork({
      network: { ...demo, sitesByOperator: new Map(inSingapore) },
      async clientFor(key) {
        const operator = await network.join(key, [Role.OPERATOR]);
        await writeKeyFile(join(folder, `keys/operator-${key}.json`), keyFileOf(operator));
        return operator.client;
      },
    });
    const faults = "--fault jammedDoors=0.01 --fault blindSensors=0.01 --fault offlinePerDay=1 --fault powerLossPerDay=0.3";
    const command = `simulate --city Singapore --days 7 --parcels ${parcelsADay} --keys keys ${faults} --threshold violations==0 --json`;
    const run = await runPetak(["--url", network.baseUrl, ...command.split(" ")], { cwd: folder });

    expect(JSON.parse(run.stdout)).toMatchObject({ end: "complete", isValid: true, violations: { count: 0 } });
    expect(run.exitCode).toBe(0);
    const { demand } = JSON.parse(await readFile(join(folder, "petak-report.json"), "utf8")) as Report;
    expect(demand.asked).toBeGreaterThan(5 * parcelsADay);
    expect(demand.met).toBeGreaterThan(parcelsADay);
  } finally {
    await network.stop();
  }
}, 1_800_000);
