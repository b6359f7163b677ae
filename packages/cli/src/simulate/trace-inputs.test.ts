import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createTempDir } from "@petak/testkit";
import { beforeAll, describe, expect, test } from "vitest";
import { runPetak } from "../testing/run-petak.ts";

let folder: string;

const area = (residents: unknown) =>
  JSON.stringify({
    type: "FeatureCollection",
    features: [
      {
        type: "Feature",
        properties: { name: "All", residents },
        geometry: {
          type: "Polygon",
          coordinates: [
            [
              [103.8, 1.3],
              [103.9, 1.3],
              [103.9, 1.4],
              [103.8, 1.3],
            ],
          ],
        },
      },
    ],
  });

const files: Record<string, string> = {
  "points.csv": "lat,lng,residents\n1.33,103.87,400\n1.32,103.86,600\n",
  "far.csv": "lat,lng\n14.6,121\n",
  "unnamed.csv": "a,b\n1,2\n",
  "swapped.csv": "lat,lng\n103.8,1.3\n",
  "comma.csv": 'lat;lng\n"1,3";103\n',
  "area.geojson": area(5000),
  "text.geojson": area("many"),
  "unknown.geojson": area(5000).replace(',"residents":5000', ""),
  "list.json": "[1]",
  "orders.csv": "created,lat,lng,mass\n2026-11-09T10:00:00+08:00,1.3,103.8,500\n2026-11-09T09:59:00+08:00,1.31,103.81,\n",
  "seconds.csv": "time,lat,lng\n1762653600000,1.3,103.8\n",
  "local.csv": "time,lat,lng\n2026-11-09 10:00,1.3,103.8\n",
  "trips.csv": "s,a,e,b,bike\n2026-11-09T08:00:00Z,1,2026-11-09T08:30:00Z,2,7\n2026-11-09T11:30:00Z,2,2026-11-09T11:40:00Z,1,7\n",
  "hour.ndjson":
    '{"schema":"petak.trace","version":1,"seed":1,"city":"Town","timeZone":"Asia/Singapore","startAt":"2026-11-09T00:00:00.000Z","durationMs":3600000,"drawn":"By hand.","parameters":{}}\n' +
    [1000, 1_799_999, 1_800_000, 3_000_000]
      .map((atMs, index) => `{"id":${index + 1},"atMs":${atMs},"person":"p","latitude":1.3,"longitude":103.8,"stayMs":5}\n`)
      .join(""),
  "heavy.csv": "time,lat,lng,massG,stayMs\n2026-11-09T10:00:00Z,1.3,103.8,0.5,1000\n",
};

beforeAll(async () => {
  const directory = await createTempDir();
  folder = directory.path;
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(folder, name), text)));
  return () => directory.remove();
});

const trace = async (command: string) => await runPetak(["trace", ...command.split(" ")], { cwd: folder });

describe("what cannot be drawn or imported is said in one sentence", () => {
  test.each<[command: string, exitCode: number, sentence: string]>([
    ["draw --city Singapoer -o t", 2, 'There is no city "Singapoer" in the demonstration network: did you mean Singapore?'],
    ["draw --city Xqzzyxwv -o t", 2, 'no city "Xqzzyxwv" in the demonstration network: the cities are those of South-East Asia'],
    ["draw --days 0 -o t", 2, '"0" is no number of days from 0.001 to 366.'],
    ["draw --from 11.11.2026 -o t", 2, '--from "11.11.2026" is no date between the years 2000 and 2100: write e.g. 2026-11-11.'],
    ["draw --from 2026-02-30 -o t", 2, '--from "2026-02-30" is no date'],
    ["draw --parcels many -o t", 2, '"many" is no whole number from 1 to 10000000.'],
    ["draw --seed -1 -o t", 2, '"-1" is no whole number from 0 to 9007199254740991.'],
    ["draw --people missing.csv -o t", 1, "missing.csv does not exist."],
    [
      "draw --people unnamed.csv -o t",
      2,
      "unnamed.csv has no column for the latitude that is known by its name (its columns: a, b): --people-columns latitude=COLUMN names it.",
    ],
    [
      "draw --people swapped.csv -o t",
      1,
      'swapped.csv, line 2, lat: "103.8" is outside -90 to 90 degrees; are latitude and longitude swapped?',
    ],
    ["draw --people comma.csv -o t", 1, 'comma.csv, line 2, lat: "1,3" is not a number; write e.g. 1.3521, with a point'],
    ["draw --people list.json -o t", 1, "list.json: holds a JSON list: people are read from a FeatureCollection, or from CSV"],
    [
      "draw --people unknown.geojson -o t",
      2,
      "unknown.geojson has no property that is known to hold the number of residents (those of its first feature: name): --people-property NAME names it.",
    ],
    [
      "draw --people text.geojson --people-property residents -o t",
      1,
      'text.geojson, line 1, residents: "many" is not a number of people of at least 0',
    ],
    ["draw --people far.csv --people area.geojson -o t", 1, "far.csv: none of its points is in an area of area.geojson"],
    [
      "draw --people points.csv --people far.csv -o t",
      2,
      "--people takes one CSV file of points and one GeoJSON file of areas, but far.csv is another of one kind.",
    ],
    [
      "draw --people points.csv --people-columns lat=lat -o t",
      2,
      '--people-columns knows no field "lat". Fields: latitude, longitude, weight.',
    ],
    ["draw --people points.csv --parcels 20000 -o t", 2, "--parcels 20000 a day are more than ten for each of the 1,000 people of points"],
    ["draw --people-property residents -o t", 2, "Give --people as well."],
    ["draw --people points.csv -o missing/t", 1, "missing/t cannot be written (ENOENT)."],
    [
      "import unnamed.csv -o t",
      2,
      "unnamed.csv has no column for the time that is known by its name (its columns: a, b): --columns time=COLUMN names it.",
    ],
    ["import orders.csv --columns time=created,weight=mass -o t", 2, '--columns knows no field "weight". Fields: time, person, latitude,'],
    [
      "import orders.csv --columns time=when -o t",
      1,
      'orders.csv, line 1: there is no column "when"; the columns are created, lat, lng, mass',
    ],
    ["import orders.csv --columns time=created --time-zone Mars -o t", 2, '"Mars" is no time zone: write e.g. Asia/Singapore.'],
    [
      "import seconds.csv --time-unit s -o t",
      1,
      'the time "1762653600000" is not between the years 2000 and 2100; is it really in s since 1970?',
    ],
    ["import local.csv -o t", 1, '"2026-11-09 10:00" is not a time with an offset from UTC'],
    ["import heavy.csv -o t", 1, "heavy.csv, line 2, massG: 0.5 is not a whole number from 1 to 1000000 (g)"],
    ["cut missing.ndjson -o t", 1, "missing.ndjson does not exist."],
    ["cut hour.ndjson --from 08:30 -o t", 2, "Write date, time and offset from UTC, e.g. 2026-11-05T21:30+08:00, or how far off it is"],
    [
      "cut hour.ndjson --from 2026-11-09T09:00:01+08:00 -o t",
      2,
      "--from 2026-11-09T01:00:01.000Z is outside of HERE/hour.ndjson: the trace is from 2026-11-09T00:00:00.000Z to 2026-11-09T01:00:00.000Z.",
    ],
    ["cut hour.ndjson --to 2026-11-09T07:59+08:00 -o t", 2, "--to 2026-11-08T23:59:00.000Z is outside of"],
    [
      "cut hour.ndjson --from 2026-11-09T00:30Z --to 2026-11-09T00:20Z -o t",
      2,
      "The part of HERE/hour.ndjson would be from 2026-11-09T00:30:00.000Z to 2026-11-09T00:20:00.000Z: give a --to after --from.",
    ],
    [
      "cut hour.ndjson --from 2026-11-09T00:55Z -o t",
      1,
      "hour.ndjson: has no intentions from 2026-11-09T00:55:00.000Z to 2026-11-09T01:00:00.000Z",
    ],
    ["cut hour.ndjson -o hour.ndjson", 2, "hour.ndjson would be written over while it is read. Give -o another name."],
    ["import orders.csv --time-unit h -o t", 2, "Allowed choices are iso, ms, s, min."],
  ])("%s", async (command, exitCode, sentence) => {
    const run = await trace(command);
    expect(run.stderr).toContain(sentence.replace("HERE", folder));
    expect(run.stderr.trim().split("\n")).toHaveLength(1);
    expect(run.exitCode).toBe(exitCode);
  });
});

describe("petak trace", () => {
  test("divides the residents of areas among points", async () => {
    const run = await trace("draw --people points.csv --people area.geojson --days 1 --from 2026-11-09 -o drawn.ndjson --json");
    const [remark] = (JSON.parse(run.stdout) as { remarks: string[] }).remarks;
    expect(remark).toContain("0 points lie in no area, and 0 residents in areas without a point; both are left out.");
  });

  test("takes hours, weekdays and stays from bike-share trips", async () => {
    const run = await trace("draw --people points.csv --trips trips.csv --parcels 20 --days 7 --from 2026-11-09 -o by-trips.ndjson --json");
    expect((JSON.parse(run.stdout) as { remarks: string[] }).remarks.at(-1)).toMatch(
      /^Hours, weekdays and stays are those of 2 bike-share trips: /,
    );
    const lines = (await readFile(join(folder, "by-trips.ndjson"), "utf8")).trim().split("\n").slice(1);
    const drawn = lines.map((line) => JSON.parse(line) as { atMs: number; purpose?: string; stayMs: number | null });
    expect(drawn.every(({ atMs }) => atMs < 24 * 3_600_000)).toBe(true);
    const stays = drawn.filter(({ purpose, stayMs }) => purpose === undefined && stayMs !== null).map(({ stayMs }) => stayMs);
    expect(new Set(stays)).toEqual(new Set([3 * 3_600_000]));
  });

  test("takes the columns that it knows by their names, and draws stays where there are none", async () => {
    const run = await trace("import orders.csv --columns time=created,massG=mass -o orders.ndjson --json");
    expect(JSON.parse(run.stdout)).toEqual({
      file: "orders.ndjson",
      intentions: 2,
      city: "orders",
      remarks: [expect.stringContaining("stays are drawn by seed 1, since there is no column of them.")],
    });
  });

  test("cuts what begins in a part of a trace's time, which is a trace again", async () => {
    const cut = async (options: string) => JSON.parse((await trace(`cut hour.ndjson ${options} -o part.ndjson --json`)).stdout) as unknown;
    expect(await cut("--from 2026-11-09T08:30+08:00")).toEqual({ file: "part.ndjson", intentions: 2, city: "Town", remarks: [] });
    expect(await cut("--from +30m")).toMatchObject({ intentions: 2 });
    expect(await cut("--from 2026-11-09T00:00:01Z --to 2026-11-09T08:30+08:00")).toMatchObject({ intentions: 2 });
    const [header = "", ...lines] = (await readFile(join(folder, "part.ndjson"), "utf8")).trim().split("\n");
    expect(JSON.parse(header)).toMatchObject({ startAt: "2026-11-09T00:00:01.000Z", durationMs: 1_799_000 });
    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
      { id: 1, atMs: 0, stayMs: 5 },
      { id: 2, atMs: 1_798_999 },
    ]);
  });
});
