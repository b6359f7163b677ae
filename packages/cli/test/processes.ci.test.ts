import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { writeKeyFile } from "@petak/client/node";
import { Role } from "@petak/protocol";
import type { Report } from "@petak/simulator";
import { createTempDir, makeSite } from "@petak/testkit";
import { keyFileOf, startTestNetwork } from "@petak/testkit/network";
import { expect, test } from "vitest";
import { runPetak } from "../src/testing/run-petak.ts";

test.each([
  ["without doors", "--no-doors"],
  ["with doors, of which each has a share", "--fault offlinePerDay=2"],
])(
  "several processes make the load of one run %s, which is judged and reported as a whole",
  async (_, option) => {
    await using directory = await createTempDir();
    const folder = directory.path;
    const network = await startTestNetwork();
    try {
      const operator = await network.join("Operator", [Role.OPERATOR]);
      for (const [index, ref] of ["one", "two", "three", "four"].entries())
        await network.putSite(operator, makeSite({ ref, latitude: 1.3521, longitude: 103.8198 + index / 1000 }));
      await mkdir(join(folder, "keys"));
      await writeKeyFile(join(folder, "keys/operator-one.json"), keyFileOf(operator));
      await writeKeyFile(join(folder, "keys/admin.json"), keyFileOf(network.admin));
      await writeFile(join(folder, "town.csv"), "lat,lng,residents\n1.3521,103.8198,5000\n");
      const command = `simulate --keys keys --people town.csv --days 2 --parcels 100 --minutes 0.3 ${option} --processes 2 --threshold violations==0 --json`;
      const run = await runPetak(["--url", network.baseUrl, ...command.split(" ")], { cwd: folder });

      expect(JSON.parse(run.stdout)).toMatchObject({ end: "complete", violations: { count: 0 }, thresholds: [{ isMet: true }] });
      const { run: facts, demand } = JSON.parse(await readFile(join(folder, "petak-report.json"), "utf8")) as Report;
      expect([facts.processes, facts.end]).toEqual([2, "complete"]);
      const log = (await readFile(join(folder, "petak-report.ndjson"), "utf8")).trim().split("\n").slice(1);
      const lines = log.map((line) => JSON.parse(line) as { kind: string; intention: number; end: string });
      const ended = lines.filter(({ kind }) => kind === "ended");
      expect(new Set(ended.map(({ intention }) => intention)).size).toBe(ended.length);
      expect(ended.filter(({ end }) => end !== "dropped").length).toBe(demand.asked);
      expect(lines.some(({ kind }) => kind === "door")).toBe(option !== "--no-doors");
    } finally {
      await network.stop();
    }
  },
  180_000,
);
