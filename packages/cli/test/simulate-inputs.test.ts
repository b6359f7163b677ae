import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { generateKeyPair, type KeyFile, writeKeyFile } from "@petak/client/node";
import { newKeyId, newParticipantId } from "@petak/protocol";
import { createTempDir } from "@petak/testkit";
import { beforeAll, expect, test } from "vitest";
import { runPetak } from "../src/testing/run-petak.ts";

/** Nothing listens there, so that what is said was said before any call. */
const nowhere = "http://127.0.0.1:9";
let folder: string;

const header = {
  schema: "petak.trace",
  version: 1,
  seed: null,
  city: "Town",
  timeZone: "Asia/Singapore",
  startAt: "2026-11-08T16:00:00.000Z",
  durationMs: 3_600_000,
  drawn: "By hand.",
  parameters: {},
};
const intention = { id: 1, atMs: 5, person: "p", latitude: 1.3, longitude: 103.8, stayMs: null };
const lines = (...values: object[]) => values.map((value) => `${JSON.stringify(value)}\n`).join("");

const files: Record<string, string> = {
  "trace.ndjson": lines(header, intention),
  "empty.ndjson": lines(header),
  "cut.ndjson": lines(header, intention).trim(),
  "late.ndjson": lines(header, { ...intention, atMs: 3_600_000 }),
  "sites.csv": "name,lat,lng\nCorner,1.3,103.8\n",
  "nowhere.csv": "name,where\nCorner,here\n",
  "null-island.csv": "name,lat,lng\nCorner,0,0\n",
  "orders.csv": "when,lat,lng\n2026-11-09T10:00:00Z,1.3,103.8\n",
  "log.ndjson": "{}\n",
  "keys/broken/courier.json": "{}",
};

beforeAll(async () => {
  const directory = await createTempDir();
  folder = directory.path;
  await mkdir(join(folder, "keys/broken"), { recursive: true });
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(folder, name), text)));
  for (const mode of ["live", "test"] as const) {
    const { privateJwk } = await generateKeyPair();
    const key: KeyFile = { participant_id: newParticipantId(), key_id: newKeyId(mode), mode, audience: "a", private_jwk: privateJwk };
    await mkdir(join(folder, "keys", mode), { recursive: true });
    await writeKeyFile(join(folder, "keys", mode, "courier.json"), key);
    await mkdir(join(folder, "keys/both"), { recursive: true });
    await writeKeyFile(join(folder, `keys/both/courier-${mode}.json`), key);
  }
  return () => directory.remove();
});

test.each<[command: string, exitCode: number, sentence: string]>([
  ["simulate --city Bangok", 2, 'There is no city "Bangok" in the demonstration network: did you mean Bangkok?'],
  ["simulate --minutes 0", 2, '"0" is no number of minutes from 0.01 to 10080.'],
  ["simulate --minutes 5m", 2, '"5m" is no number of minutes'],
  ["simulate --processes 0", 2, '"0" is no whole number from 1 to 64.'],
  ["simulate --protocol http", 2, "Allowed choices are connect, grpc."],
  ["simulate --threshold p99<50", 2, '--threshold "p99<50": there is no figure p99; there are '],
  [
    "simulate --threshold find.p99<50",
    2,
    '--threshold "find.p99<50": find.p99 is a time, so its limit needs one of the units us, ms, s, min',
  ],
  ["simulate --threshold find.p99=50ms", 2, "it is not FIGURE COMPARISON VALUE, as in find.p99<50ms"],
  [
    "simulate --fault rain=1",
    2,
    '"rain=1" is no fault: write NAME=RATE; names are jammedDoors, blindSensors, offlinePerDay, powerLossPerDay.',
  ],
  [
    "simulate --fault jammedDoors=2",
    2,
    '"jammedDoors=2" is too much: jammedDoors is the probability that a door does not open, from 0 to 1.',
  ],
  [
    "simulate --trace trace.ndjson --parcels 5",
    2,
    "--parcels is for drawing, and --trace has people, times and parcels in it. Leave one of them out.",
  ],
  ["simulate --trace trace.ndjson --days 1", 2, "--days is for drawing"],
  ["simulate --trace empty.ndjson", 1, "empty.ndjson: has no intentions below its header"],
  ["simulate --trace cut.ndjson", 1, "cut.ndjson, line 2: the last line has no end: the file is cut off"],
  ["simulate --trace late.ndjson", 1, "late.ndjson, line 2, atMs: 3600000 is not below the header's durationMs, 3600000"],
  ["simulate --trace missing.ndjson", 1, "missing.ndjson does not exist."],
  [
    "simulate --sites sites.csv",
    2,
    "--sites says where sites are, not who lives there. Give --city NAME, or --people FILE, or --trace FILE.",
  ],
  ["simulate --kind store", 2, "--kind says how a file of sites is read. Give --sites FILE as well."],
  ["simulate --walk 300", 2, "--walk is for --plan. Give --plan N as well."],
  ["simulate --plan 0", 2, '"0" is no whole number from 1 to 1000.'],
  ["simulate --city Dili --sites nowhere.csv", 1, "No column looks like latitude and longitude."],
  ["simulate --city Dili --sites null-island.csv", 1, "1 of 1 rows are refused, so nothing was imported."],
  ["simulate --city Dili --sites sites.csv --map lat=lat", 2, '--map knows no field "lat".'],
  ["simulate --trace trace.ndjson --report r.pdf", 2, '--report "r.pdf" must end in .html: the figures are beside it as .json.'],
  ["simulate --trace trace.ndjson --report missing/r.html", 1, "/missing does not exist."],
  [
    "simulate --trace trace.ndjson --log petak-report.json",
    2,
    "petak-report.json would be written over what the run reads or writes elsewhere.",
  ],
  ["simulate --trace trace.ndjson --record trace.ndjson", 2, "trace.ndjson would be written over what the run reads or writes elsewhere."],
  ["simulate --trace trace.ndjson --record keys", 2, "/keys is a folder, and a file is to be written there."],
  ["simulate --trace trace.ndjson", 2, "There are no keys in .petak/keys, which `npm start` makes: run this in its folder, or give --keys"],
  ["simulate --trace trace.ndjson --keys keys/broken", 2, "courier.json is not a key file: 'participant_id' must be a non-empty string."],
  [
    "simulate --trace trace.ndjson --keys keys/live",
    2,
    "These are live keys, and a simulation takes places that people need. Use test keys, or name the gateway: --i-know-this-is-live 127.0.0.1:9.",
  ],
  [
    "simulate --trace trace.ndjson --keys keys/live --i-know-this-is-live 127.0.0.1",
    2,
    '--i-know-this-is-live 127.0.0.1:9, not "127.0.0.1".',
  ],
  [
    "simulate --trace trace.ndjson --keys keys/test --i-know-this-is-live 127.0.0.1:9",
    2,
    "--i-know-this-is-live is for live keys, and all keys of this run are test keys. Leave it out.",
  ],
  [
    "simulate --trace trace.ndjson --keys keys/both --i-know-this-is-live 127.0.0.1:9",
    2,
    "Some keys of this run are live and some are test keys",
  ],
  ["simulate --trace trace.ndjson --key keys/live/courier.json", 2, "These are live keys"],
  ["simulate --trace trace.ndjson --key missing.json", 2, "missing.json does not exist. Check --key and PETAK_KEY."],
  ["simulate --trace trace.ndjson --keys keys/test", 3, `No gateway answers at ${nowhere}. Start one with`],
  ["simulate --url ftp://x", 2, 'The gateway\'s address "ftp://x" must begin with http:// or https://'],
  ["replay trace.ndjson --keys keys/live --speed 60", 2, "These are live keys"],
  ["replay trace.ndjson --speed 0", 2, '"0" is no speed from 0.000001 to 1000000: write e.g. 60, for a trace\'s hour in a minute.'],
  ["replay trace.ndjson --rate 500", 2, '"500" is no rate up to 1000000/s: write e.g. 500/s, 30/min or 2/h.'],
  ["replay trace.ndjson --speed 60 --rate 5/s", 2, "--speed and --rate both say how fast. Give one of them."],
  [
    "replay trace.ndjson --speed 60 --time-unit s",
    2,
    "The file is a trace, and --columns, --time-unit, --collected-at, --time-zone and --city say how a CSV file is read.",
  ],
  [
    "replay orders.csv --speed 60",
    2,
    "orders.csv has no column for the time that is known by its name (its columns: when, lat, lng): --columns time=COLUMN names it.",
  ],
  ["report log.ndjson", 1, "log.ndjson, line 1: "],
  ["report log.ndjson -o report.txt", 2, 'The report "report.txt" must end in .html: its figures are beside it as .json.'],
])("petak %s", async (command, exitCode, sentence) => {
  const run = await runPetak(["--url", nowhere, ...command.split(" ")], { cwd: folder });
  expect(run.stderr).toContain(sentence);
  expect(run.stderr.trim().split("\n")).toHaveLength(1);
  expect(run.exitCode).toBe(exitCode);
});
