import { randomUUID } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { writeKeyFile } from "@petak/client/node";
import { CancellationReason, Role } from "@petak/protocol";
import { checkIntention, type Report, writeTrace as writeTraceLines } from "@petak/simulator";
import { createTempDir, makeSite } from "@petak/testkit";
import { keyFileOf, startTestNetwork, type TestNetwork } from "@petak/testkit/network";
import { beforeAll, expect, test } from "vitest";
import { type RunPetakOptions, runPetak } from "../src/testing/run-petak.ts";

const hourMs = 3_600_000;
let network: TestNetwork;
let folder: string;

const home = { latitude: 1.3521, longitude: 103.8198 };

/** Homes around the sites. */
const people = "latitude,longitude,residents\n1.3521,103.8198,300\n1.3541,103.8218,200\n";

beforeAll(async () => {
  const directory = await createTempDir();
  folder = directory.path;
  await mkdir(join(folder, ".petak/keys"), { recursive: true });
  await writeFile(join(folder, "town.csv"), people);
  network = await startTestNetwork({ testClock: true, sweepIntervalMs: 24 * hourMs, agentSyncIntervalMs: hourMs / 4 });
  const operator = await network.join("Operator", [Role.OPERATOR]);
  for (const number of [0, 1]) {
    const position = { latitude: 1.3521 + 0.002 * number, longitude: 103.8198 };
    await network.putSite(operator, makeSite({ ...position, ref: `site-${number}`, classes: [["L", 400, 600, 600, 20_000, 10]] }));
  }
  await writeKeyFile(join(folder, ".petak/keys/admin.json"), keyFileOf(network.admin));
  await writeKeyFile(join(folder, ".petak/keys/operator-one.json"), keyFileOf(operator));
  return async () => {
    await network.stop();
    await directory.remove();
  };
});

const petak = async (command: string, options: RunPetakOptions = {}) =>
  await runPetak(["--url", network.baseUrl, ...command.split(" ")], { cwd: folder, ...options });
/** Writes a trace of people who live among the sites. */
async function writeTrace(
  name: string,
  header: { city: string; startAt: string; durationMs: number },
  parcels: readonly object[],
): Promise<void> {
  const { city, ...period } = header;
  const about = { seed: null, city, timeZone: "Asia/Singapore", ...period, drawn: "By hand.", parameters: {} };
  const intentions = parcels.map((parcel, index) =>
    checkIntention({ ...home, id: index + 1, person: `p${index}`, ...parcel }, { file: name }),
  );
  await writeFile(join(folder, name), await Array.fromAsync(writeTraceLines(about, intentions)));
}
const text = async (name: string) => await readFile(join(folder, name), "utf8");
const figures = async (name: string) => JSON.parse(await text(name)) as Report;
const observed = async (name: string) =>
  (await text(name))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { kind?: string; operation?: string; intention: number; dueMs: number });

test("petak simulate runs some hours of a town on the driven clock and writes trace, log, figures and report", async () => {
  const parcels = [0, 10, 20, 30].map((minute) => ({
    atMs: minute * 60_000,
    depositAfterMs: hourMs,
    stayMs: 2 * hourMs,
    collectBy: minute === 0 ? "PIN" : "TOKEN",
  }));
  await writeTrace("town.ndjson", { city: "town", startAt: "2026-11-09T00:00:00.000Z", durationMs: hourMs }, parcels);
  const run = await petak("simulate --trace town.ndjson --record day.ndjson --threshold find.failed==0 --json");
  expect(run.stderr).not.toContain("petak:");
  const result = JSON.parse(run.stdout) as { end: string; isValid: boolean; violations: object; thresholds: object[]; demand: object };
  expect(result).toMatchObject({ end: "complete", isValid: true, violations: { count: 0 }, thresholds: [{ value: 0, isMet: true }] });
  expect(run.exitCode).toBe(0);

  expect(await text("petak-report.html")).toContain("town");
  const { run: facts, demand } = await figures("petak-report.json");
  expect(facts).toMatchObject({ city: "town", timeZone: "Asia/Singapore", pace: { clock: "driven" } });
  expect(demand.asked).toBeGreaterThan(0);
  const log = await observed("petak-report.ndjson");
  expect(log.at(-1)).toMatchObject({ kind: "end", end: "complete" });
  expect(new Set(log.filter(({ kind }) => kind === "ended").map(({ intention }) => intention)).size).toBe(demand.asked);

  expect(facts.remarks.join(" ")).toContain("Nobody else reserved at these sites");

  // The report of the log is that of the run, but for what only the trace says.
  const again = await petak("report petak-report.ndjson --trace day.ndjson -o again.html");
  expect(again).toMatchObject({ exitCode: 0, stderr: "" });
  expect(await figures("again.json")).toEqual(await figures("petak-report.json"));
});

test("what is recorded, replayed and recorded again is the same, byte for byte, and so are the times of arrival at 60 times the speed", async () => {
  const times = [0, 4100, 9050, 15_000, 15_000, 48_999];
  const minute = { city: "Town", startAt: "2026-11-08T16:00:00.000Z", durationMs: 60_000 };
  await writeTrace(
    "minute.ndjson",
    minute,
    times.map((atMs) => ({ atMs, stayMs: 60_000 })),
  );
  const couriers = async () => await text(".petak/keys/simulation-courier-4.json");
  const courier = await couriers();

  await petak("replay minute.ndjson --speed 60 --no-doors --record first.ndjson --report one.html");
  await petak("replay first.ndjson --speed 60 --no-doors --record again.ndjson --report two.html");
  expect(await text("first.ndjson")).toBe(await text("minute.ndjson"));
  expect(await text("again.ndjson")).toBe(await text("first.ndjson"));
  for (const log of ["one.ndjson", "two.ndjson"]) {
    const finds = (await observed(log)).filter(({ operation }) => operation === "find");
    expect(finds.map(({ dueMs }) => Math.round(dueMs * 60)).sort((a, b) => a - b)).toEqual(times);
    expect((await observed(log)).at(-1)).toMatchObject({ kind: "end", end: "complete" });
  }
  // Two runs side by side, of their figures or their logs.
  const compared = await petak("report compare one.json two.ndjson --json");
  expect(compared.exitCode).toBe(0);
  const { differences } = JSON.parse(compared.stdout) as { differences: object[] };
  expect(differences).toContainEqual(expect.objectContaining({ title: "asked", a: 6, b: 6, difference: 0, ratio: 1 }));
  expect(await text("petak-comparison.html")).toContain("two.ndjson");
  const mistaken = await petak("report compare one.json .petak/keys/admin.json");
  expect([mistaken.exitCode, mistaken.stderr]).toEqual([1, expect.stringContaining("admin.json: is not the figures of a run")]);
  // Later runs find the couriers of the first.
  expect(await couriers()).toBe(courier);
});

test("a run that is said to be alone is refused where places are taken already", async () => {
  const { client } = await network.join("Courier", [Role.COURIER]);
  const { sites } = await client.directory.listSites({});
  const parcel = { widthMm: 100, heightMm: 100, depthMm: 100, massG: 100 };
  const place = { case: "siteId", value: sites[0]?.siteId ?? "" } as const;
  const { reservation } = await client.reservations.reserve({ requestId: randomUUID(), place, parcel });
  const refused = await petak("replay town.ndjson --speed 60 --alone");
  expect([refused.exitCode, refused.stderr]).toEqual([2, expect.stringContaining("1 of their places are promised or taken already.")]);
  const reservationId = reservation?.reservationId ?? "";
  await client.reservations.cancel({ requestId: randomUUID(), reservationId, reason: CancellationReason.OTHER });
});

test("Ctrl-C ends a run in good order, with the report of what there is", async () => {
  const interruption = new AbortController();
  const running = petak("simulate --people town.csv --from 2026-11-09 --days 7 --parcels 40 --report cut.html", {
    interruption: interruption.signal,
  });
  await expect.poll(() => text("cut.ndjson").catch(() => "")).toContain('"kind":"given"');
  interruption.abort(new Error("Interrupted."));
  const run = await running;
  expect([run.exitCode, run.stderr]).toEqual([1, expect.stringContaining("petak: Interrupted: the report is of what there is.")]);
  expect((await figures("cut.json")).run.end).toBe("interrupted");
  expect(await text("cut.html")).toContain("town");
});
