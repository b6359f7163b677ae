import { describe, expect, it } from "vitest";
import { type ImportOptions, importRows } from "./import-rows.ts";
import { importTrips, type TripOptions } from "./import-trips.ts";
import { readTrace } from "./read-trace.ts";
import { writeTrace } from "./write-trace.ts";

const rowsOf = (csv: string) => csv.split("\n").map((line, index) => ({ line: index + 1, cells: line.split(",") }));

const options: ImportOptions = {
  file: "orders.csv",
  city: "Bangkok",
  timeZone: "Asia/Bangkok",
  time: { column: "when", unit: "iso" },
  columns: { latitude: "lat", longitude: "lng", massG: "grams" },
  collectedAt: "fetched",
};

describe("an import of rows", () => {
  it("makes a valid trace, in order of time, from the full hour before the first row", async () => {
    const csv = [
      "when,lat,lng,grams,fetched",
      "2026-11-11T09:40:00+07:00,13.75,100.5,250,2026-11-11T12:00:00+07:00",
      "2026-11-11T02:10:00Z,13.7,100.6,,",
    ].join("\n");
    const { header, intentions } = await importRows(rowsOf(csv), options);
    expect(header).toMatchObject({ seed: null, startAt: "2026-11-11T02:00:00.000Z", durationMs: 3_600_000 });
    expect(intentions).toMatchObject([
      { id: 1, atMs: 600_000, person: "row-3", massG: 1000, stayMs: null },
      { id: 2, atMs: 2_400_000, person: "row-2", massG: 250, stayMs: 8_400_000, latitude: 13.75 },
    ]);
    const text = (await Array.fromAsync(writeTrace(header, intentions))).join("");
    const read = await readTrace([text], "written");
    expect(await Array.fromAsync(read.intentions)).toEqual(intentions);
  });

  it.each([
    ["s", "1794362400"],
    ["min", "29906040"],
    ["ms", "1794362400000"],
    ["iso", "2026-11-11T02:00:00Z"],
  ] as const)("reads times in %s", async (unit, cell) => {
    const only = { ...options, collectedAt: undefined, time: { column: "t", unit }, fill: () => ({ stayMs: 1 }) };
    const { header } = await importRows(rowsOf(`t,lat,lng,grams\n${cell},1,1,5`), only);
    expect(header.startAt).toBe("2026-11-11T02:00:00.000Z");
  });

  it.each<[csv: string, message: RegExp]>([
    ["when,\u001b[2J\n", /there is no column "lat"; the columns are when, \\u001b\[2J/],
    ["when,lat\n", /line 1: there is no column "lng"; the columns are when, lat/],
    ["when,lat,lng,grams,fetched\nyesterday,1,1,1,", /line 2, when: "yesterday" is not a time with an offset from UTC/],
    ["when,lat,lng,grams,fetched\n2026-11-11T02:00:00,1,1,1,", /line 2, when: .* is not a time with an offset from UTC/],
    ["when,lat,lng,grams,fetched\n2026-11-11T02:00:00Z,100,1,1,", /line 2, lat: 100 is not a number from -90 to 90/],
    ['when,lat,lng,grams,fetched\n2026-11-11T02:00:00Z,"1 3",1,1,', /line 2, lat: .* is not a number; write e.g. 1.3521/],
    ["when,lat,lng,grams,fetched\n2026-11-11T02:00:00Z,1,1,1", /line 2: the row has 4 cells and the header 5/],
    ["when,lat,lng,grams,fetched\n2026-11-11T02:00:00Z,1,1,1,2026-11-11T01:00:00Z", /line 2, fetched: the collection is 3600000 ms before/],
    ["when,lat,lng,grams,fetched", /has no rows below the header/],
  ])("refuses %j", async (csv, message) => {
    await expect(importRows(rowsOf(csv), options)).rejects.toThrow(message);
  });

  it("takes minutes for a wrong unit where they are declared as seconds", async () => {
    const seconds = { ...options, time: { column: "when", unit: "s" } as const };
    await expect(importRows(rowsOf("when,lat,lng,grams,fetched\n23142734,1,1,1,"), seconds)).rejects.toThrow(
      /line 2, when: the time "23142734" is not between the years 2000 and 2100; is it really in s since 1970\?/,
    );
  });
});

describe("an import of trips", () => {
  const trips: TripOptions = {
    file: "trips.csv",
    city: "San Francisco",
    timeZone: "America/Los_Angeles",
    unit: "min",
    columns: { startAt: "s", startStation: "a", endAt: "e", endStation: "b", bike: "bike" },
    stations: new Map([
      ["10", { latitude: 37.7, longitude: -122.4 }],
      ["20", { latitude: 37.8, longitude: -122.5 }],
    ]),
  };

  it("makes a deposit of an arrival and a collection of the bike's next departure; a move is a recall, and the last one stays", async () => {
    // The rows are not in order of time.
    const csv = "s,a,e,b,bike\n23142900,20,23142910,10,7\n23142720,10,23142730,20,7\n23142970,20,23142980,20,7";
    const { header, intentions } = await importTrips(rowsOf(csv), trips);
    expect(header.drawn).toMatch(/not parcel demand/);
    expect(intentions).toMatchObject([
      { person: "bike-7", siteRef: "20", stayMs: 170 * 60_000, collectBy: "TOKEN", latitude: 37.8 },
      { person: "bike-7", siteRef: "10", stayMs: 60 * 60_000, collectBy: "RECALL" },
      { person: "bike-7", siteRef: "20", stayMs: null },
    ]);
  });

  it("refuses a station that is not listed, and a trip that ends before it starts", async () => {
    await expect(importTrips(rowsOf("s,a,e,b,bike\n23142720,10,23142730,99,7"), trips)).rejects.toThrow(/line 2, b: the station 99 is not/);
    await expect(importTrips(rowsOf("s,a,e,b,bike\n23142720,10,23142719,20,7"), trips)).rejects.toThrow(/line 2, e: the trip ends before/);
  });
});
