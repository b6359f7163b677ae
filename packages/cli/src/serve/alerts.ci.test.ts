import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createPetakClient, signerOfKeyFile } from "@petak/client/node";
import { AddedMetrics, createLogger, loadConfig } from "@petak/gateway";
import { tempDir } from "@petak/testkit";
import { expect, onTestFinished, test } from "vitest";
import { serveGateway } from "./serve-gateway.ts";

const deployDir = join(import.meta.dirname, "../../../../deploy");

/** The metrics that a text names, without what PromQL adds to histograms. */
function metricsIn(text: string): Set<string> {
  const names = text.match(/\b(petak|process|nodejs)_[a-z0-9_]+\b(?=\{|\\"|\[)/g) ?? [];
  return new Set(names.map((name) => name.replace(/_(bucket|count|sum)$/, "")));
}

test("each metric that alerts, board and runbook name is one of a running gateway, and calls are named as they expect", async () => {
  const dataDir = await tempDir();
  const config = loadConfig({ flags: { port: "0", dataDir, shutdownGraceMs: "0" } });
  const served = await serveGateway(config, dataDir, createLogger({ level: "silent" }));
  onTestFinished(() => served.stop());
  const client = createPetakClient({ baseUrl: served.url, signer: signerOfKeyFile(served.admin.keyFile) });
  onTestFinished(() => client.close());
  const parcel = { widthMm: 100, heightMm: 100, depthMm: 100, massG: 500 };
  await client.directory.findNearest({ origin: { latitude: 1.3, longitude: 103.8 }, parcel });

  // A gateway with several workers has further ones.
  const metrics = (await (await fetch(`${served.managementUrl}/metrics`)).text()) + (await new AddedMetrics(1).text(1));
  const offered = new Set([...metrics.matchAll(/^# TYPE (\w+) /gm)].map(([, name]) => name));
  for (const file of ["prometheus/petak.rules.yml", "grafana/petak.json"]) {
    const named = metricsIn(await readFile(join(deployDir, file), "utf8"));
    expect(named.size).toBeGreaterThan(12);
    for (const name of named) expect([file, name, offered.has(name)]).toEqual([file, name, true]);
  }
  const runbook = await readFile(join(deployDir, "../docs/runbook.md"), "utf8");
  for (const [, line = ""] of runbook.matchAll(/^curl -s \$M\/metrics (.+)$/gm)) {
    // The beginnings of names, as grep takes them.
    for (const [start] of line.matchAll(/\b(?:petak|process|nodejs)_[a-z_]*/g)) {
      expect([start, [...offered].some((name) => name?.startsWith(start.replace(/_(count|sum)$/, "")))]).toEqual([start, true]);
    }
  }
  expect(metrics).toMatch(/^petak_rpc_duration_seconds_bucket\{.*method="petak\.v1\.DirectoryService\/FindNearest".*code="ok"/m);
});
