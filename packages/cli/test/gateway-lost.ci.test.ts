import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { writeKeyFile } from "@petak/client/node";
import { Role } from "@petak/protocol";
import type { Report } from "@petak/simulator";
import { createTempDir, makeSite } from "@petak/testkit";
import { keyFileOf, startTestNetwork } from "@petak/testkit/network";
import { expect, test } from "vitest";
import { runPetak } from "../src/testing/run-petak.ts";

test("a gateway that dies ends the run in good order, with the report of what there is", async () => {
  await using directory = await createTempDir();
  const folder = directory.path;
  const network = await startTestNetwork({ ownProcess: true });
  try {
    const operator = await network.join("Operator", [Role.OPERATOR]);
    await network.putSite(operator, makeSite({ latitude: 1.3521, longitude: 103.8198 }));
    await mkdir(join(folder, "keys"));
    await writeKeyFile(join(folder, "keys/admin.json"), keyFileOf(network.admin));
    await writeKeyFile(join(folder, "keys/operator-one.json"), keyFileOf(operator));
    await writeFile(join(folder, "town.csv"), "lat,lng,residents\n1.3521,103.8198,5000\n");
    const text = async (name: string) => await readFile(join(folder, name), "utf8");

    const running = runPetak(
      ["--url", network.baseUrl, ..."simulate --keys keys --people town.csv --days 1 --parcels 2000 --minutes 10".split(" ")],
      { cwd: folder },
    );
    await expect.poll(() => text("petak-report.ndjson").catch(() => "")).toContain('"kind":"given"');
    await network.gateway.kill();
    const run = await running;

    expect(run.stderr).toMatch(/^petak: The gateway was lost \(.+\): the report is of what there is\.$/m);
    expect(run.exitCode).toBe(1);
    const { run: facts, demand } = JSON.parse(await text("petak-report.json")) as Report;
    expect([facts.end, facts.isValid]).toEqual(["gateway-lost", false]);
    expect(demand.asked).toBeGreaterThan(0);
    expect(await text("petak-report.html")).toContain("town");
  } finally {
    await network.stop();
  }
});
