import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeKeyFile } from "@petak/client/node";
import { Role } from "@petak/protocol";
import type { Report } from "@petak/simulator";
import { createRandom, createTempDir, type Random, testSeed } from "@petak/testkit";
import { keyFileOf, startTestNetwork } from "@petak/testkit/network";
import { expect, test } from "vitest";
import { loadDemoNetwork } from "../src/demo/load.ts";
import { buildDemoNetwork } from "../src/demo/network.ts";
import { runPetak } from "../src/testing/run-petak.ts";

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

/**
 * The first day of the week, which decides about weekdays and sale days: the first of the dates drawn that is within the coming year, for a test clock goes forward only.
 * So the same seed draws the same week until that has begun.
 */
function drawFrom(random: Random): string {
  for (;;) {
    const atMs = Date.UTC(2027, 0, random.int(0, 70 * 365));
    const aheadMs = atMs - Date.now();
    if (aheadMs > 2 * dayMs && aheadMs < 365 * dayMs) return new Date(atMs).toISOString().slice(0, 10);
  }
}

/** The scale: all sites that the demonstration network has in Singapore, and a fifth of the parcels that `petak simulate` draws for them by default. */
const parcelsADay = 200;

test("a week of Singapore, with terminals that fail, is complete and breaks no rule", async () => {
  await using directory = await createTempDir();
  const folder = directory.path;
  const network = await startTestNetwork({ testClock: true, sweepIntervalMs: dayMs, agentSyncIntervalMs: 60 * minuteMs });
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
    const seed = testSeed();
    const from = drawFrom(createRandom(seed));
    const faults = "--fault jammedDoors=0.01 --fault blindSensors=0.01 --fault offlinePerDay=1 --fault powerLossPerDay=0.3";
    const command = `simulate --city Singapore --from ${from} --days 7 --parcels ${parcelsADay} --seed ${seed} --keys keys ${faults}`;
    const run = await runPetak(["--url", network.baseUrl, ...command.split(" "), "--threshold", "violations==0", "--json"], {
      cwd: folder,
    });

    expect(JSON.parse(run.stdout)).toMatchObject({ end: "complete", isValid: true, violations: { count: 0 } });
    expect(run.exitCode).toBe(0);
    const { demand } = JSON.parse(await readFile(join(folder, "petak-report.json"), "utf8")) as Report;
    expect(demand.asked).toBeGreaterThan(5 * parcelsADay);
    expect(demand.met).toBeGreaterThan(parcelsADay);
  } finally {
    await network.stop();
  }
}, 1_800_000);
