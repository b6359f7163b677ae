import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Purpose, SiteKind } from "@petak/protocol";
import { tempDir } from "@petak/testkit";
import { describe, expect, test } from "vitest";
import { openSites } from "./open-source.ts";
import type { Refusal } from "./refusal.ts";
import type { SiteDraft } from "./site-draft.ts";
import { parseColumnMap } from "./site-fields.ts";
import type { FileFormat, SourceOptions } from "./site-source.ts";

const nowMs = Date.UTC(2026, 5, 15, 12);

interface Wish extends Partial<Omit<SourceOptions, "columns">> {
  format?: FileFormat;
  map?: string[];
}

async function open(content: string | object, { format, map = [], nameTemplate, delimiter }: Wish = {}) {
  const path = join(await tempDir(), "list.txt");
  await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
  return openSites(path, format, { columns: parseColumnMap(map), nameTemplate, delimiter, nowMs });
}

async function read(content: string | object, wish?: Wish): Promise<(SiteDraft | Refusal)[]> {
  const { source } = await open(content, wish);
  return Array.fromAsync(source.drafts());
}

describe("the format is detected by the content", () => {
  test.each<[string, string | object, FileFormat]>([
    ["text", "name,lat,lng\n", "csv"],
    ["a FeatureCollection", { type: "FeatureCollection", features: [{ type: "Feature", properties: { name: "x" } }] }, "geojson"],
    ["an answer of DHL's", { locations: [] }, "dhl"],
    ["an answer of DHL's after blank lines", `\n\n${JSON.stringify({ locations: [{ title: "x" }] })}`, "dhl"],
  ])("%s", async (_, content, format) => {
    expect((await open(content)).source.format).toBe(format);
  });

  test.each<[string, string, RegExp]>([
    ["a JSON list", "[]", /a JSON list/],
    ["XML", "<kml></kml>", /XML, KML or a web page/],
  ])("%s is refused", async (_, content, message) => {
    await expect(open(content)).rejects.toThrow(message);
  });
});

describe("CSV", () => {
  test("rows become drafts with their numbers and lines", async () => {
    const drafts = await read('id;name;lat;lng;zip\nA1;"Shop\n one";1,35;103,82;12345\nB2;Shop two;1°21\'N;"103°49\'12""E";\n');
    expect(drafts).toMatchObject([
      { kind: "draft", row: 1, line: 2, reference: "A1", name: "Shop one", postalCode: "12345", latitude: { degrees: 1.35 } },
      { kind: "draft", row: 2, line: 4, reference: "B2", name: "Shop two", longitude: { degrees: 103.82 } },
    ]);
  });

  test("one column may hold both angles", async () => {
    const [draft] = await read('name,coordinates\nShop,"1.35, 103.82"\n');
    expect(draft).toMatchObject({ latitude: { degrees: 1.35 }, longitude: { degrees: 103.82 } });
  });

  test("where no column is a name, the address makes one", async () => {
    const [draft, empty] = await read("address,lat,lng\n1 Test Road,1.35,103.82\n,1.35,103.82\n");
    expect(draft).toMatchObject({ name: "Site at 1 Test Road", nameIsMade: true });
    expect(empty).toMatchObject({ name: "" });
  });

  test("a template makes names of any columns", async () => {
    const [draft] = await read("brand,town,lat,lng\nKancil,Ipoh,4.6,101.1\n", { nameTemplate: "{brand} in {town}" });
    expect(draft).toMatchObject({ name: "Kancil in Ipoh" });
  });

  test("a ragged row is refused with its line, and the others go on", async () => {
    const drafts = await read("name,lat,lng\nA,1,2\nB, Road 1,1,2\nC,1\nD,3,4\n");
    expect(drafts).toMatchObject(
      [
        { kind: "draft" },
        { kind: "refusal", row: 2, line: 3, reason: "ragged-row", message: /4 cells and the header 3/ },
        { kind: "refusal", row: 3, line: 4, reason: "ragged-row" },
        { kind: "draft", row: 4, line: 5 },
      ].map((row) => (typeof row.message === "object" ? { ...row, message: expect.stringMatching(row.message) } : row)),
    );
  });

  test.each<[string, string, RegExp]>([
    ["no header", "1.35,103.82,Shop\n1.36,103.83,Shop 2\n", /line 1: has no header/],
    ["nothing but white space", " \n\n  \n", /nothing but white space/],
    ["no position", "name,address\nA,B\n", /No column looks like latitude/],
  ])("%s is refused", async (_, content, message) => {
    await expect(read(content)).rejects.toThrow(message);
  });

  test("a file can be read again with the same result", async () => {
    const { source } = await open("name,lat,lng\nA,1,2\nB,x,2\n");
    expect(await Array.fromAsync(source.drafts())).toEqual(await Array.fromAsync(source.drafts()));
  });
});

describe("GeoJSON", () => {
  const point = (coordinates: unknown, properties: object = { name: "Shop" }) => {
    return { type: "Feature", properties, geometry: { type: "Point", coordinates } };
  };

  test("points become drafts, longitude first, and properties are columns", async () => {
    const features = [point([103.82, 1.35], { ref: "A", Name: "Shop", zip: 12345 }), point([103.8, 1.3, 15], { ref: "B" })];
    expect(await read({ type: "FeatureCollection", features })).toMatchObject([
      { row: 1, reference: "A", name: "Shop", postalCode: "12345", latitude: { degrees: 1.35 }, longitude: { degrees: 103.82 } },
      { row: 2, reference: "B", name: "", latitude: { degrees: 1.3 } },
    ]);
  });

  test("other geometries are refused one by one, with the reason", async () => {
    const features = [
      { type: "Feature", properties: { name: "Park" }, geometry: { type: "Polygon", coordinates: [] } },
      { type: "Feature", properties: {}, geometry: null },
      point(["103.8", "1.3"]),
      { type: "Point", coordinates: [1, 2] },
      point([103.82, 1.35]),
    ];
    const drafts = await read({ type: "FeatureCollection", features });
    expect(drafts.map((draft) => (draft.kind === "refusal" ? [draft.reason, draft.message] : ["draft"]))).toEqual([
      ["not-a-point", "the geometry is a Polygon; only points can be sites"],
      ["not-a-point", "the feature has no geometry"],
      ["not-a-point", "the point's coordinates are not two numbers, longitude first"],
      ["not-a-point", "the element is a Point, not a Feature"],
      ["draft"],
    ]);
    expect(drafts[0]).toMatchObject({ row: 1, name: "Park" });
  });

  test.each<[string, object, RegExp]>([
    ["a single feature", { type: "Feature", geometry: null, properties: { name: "x" } }, /is a Feature: only a FeatureCollection/],
    ["another object", { name: "x", features: [point([1, 2])] }, /is no GeoJSON/],
    [
      "another reference system",
      { type: "FeatureCollection", crs: { type: "name", properties: { name: "EPSG:3414" } }, features: [point([1, 2])] },
      /not in WGS84/,
    ],
  ])("%s is refused", async (_, content, message) => {
    await expect(read(content, { format: "geojson", nameTemplate: "x" })).rejects.toThrow(message);
  });

  test("the old name of WGS84 is understood", async () => {
    const crs = { type: "name", properties: { name: "urn:ogc:def:crs:OGC:1.3:CRS84" } };
    expect(await read({ type: "FeatureCollection", crs, features: [point([103.8, 1.3])] })).toHaveLength(1);
  });
});

describe("DHL's Location Finder", () => {
  const days = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
  const location = (changes: object = {}) => ({
    location: { ids: [{ locationId: "8007-1", provider: "parcel" }], type: "locker" },
    name: "A locker",
    place: {
      address: { countryCode: "DE", postalCode: "04229", addressLocality: "Leipzig", streetAddress: "Teststr. 1" },
      geo: { latitude: 51.33, longitude: 12.33 },
    },
    openingHours: days.map((day) => ({ opens: "00:00:00", closes: "23:59:59", dayOfWeek: `http://schema.org/${day}` })),
    closurePeriods: [],
    serviceTypes: ["parcel:drop-off-unregistered", "parcel:pick-up-registered", "handicapped-access"],
    ...changes,
  });

  test("a locker that is open day and night", async () => {
    expect(await read({ locations: [location()] })).toMatchObject([
      {
        kind: "draft",
        row: 1,
        reference: "8007-1",
        name: "A locker",
        siteKind: SiteKind.PARCEL_TERMINAL,
        country: "DE",
        locality: "Leipzig",
        postalCode: "04229",
        addressLines: "Teststr. 1",
        openingHours: { alwaysOpen: true, exceptions: [] },
        purposes: [Purpose.DELIVERY, Purpose.FIRST_MILE, Purpose.RETURN],
        isStepFree: true,
      },
    ]);
  });

  test("a shop with a lunch break and closures: those that are over are left out", async () => {
    const openingHours = [
      { opens: "09:00:00", closes: "12:00:00", dayOfWeek: "http://schema.org/Monday" },
      { opens: "14:00:00", closes: "18:30:00", dayOfWeek: "http://schema.org/Monday" },
    ];
    const closurePeriods = [
      { type: "closure", fromDate: "2020-03-11", toDate: "2020-09-03" },
      { type: "holiday", fromDate: "2026-06-10", toDate: "2026-06-16" },
    ];
    const [draft] = await read({
      locations: [location({ location: { ids: [{ locationId: "8003-4" }], type: "servicepoint" }, openingHours, closurePeriods })],
    });
    expect(draft).toMatchObject({
      siteKind: SiteKind.COLLECTION_POINT,
      openingHours: {
        weekly: [
          { openDay: 1, openMinute: 540, closeDay: 1, closeMinute: 720 },
          { openDay: 1, openMinute: 840, closeDay: 1, closeMinute: 1110 },
        ],
        exceptions: [
          { date: { year: 2026, month: 6, day: 14 }, open: [] },
          { date: { year: 2026, month: 6, day: 15 }, open: [] },
          { date: { year: 2026, month: 6, day: 16 }, open: [] },
        ],
      },
    });
  });

  test.each<[string, object, string]>([
    ["a post box", { location: { ids: [], type: "postbox" } }, "not-a-site"],
    ["no position", { place: {} }, "no-position"],
    ["no hours", { openingHours: [] }, "invalid-hours"],
    [
      "hours that end before they begin",
      { openingHours: [{ opens: "18:00:00", closes: "09:00:00", dayOfWeek: "Monday" }] },
      "invalid-hours",
    ],
    ["a day that is none", { openingHours: [{ opens: "08:00:00", closes: "09:00:00", dayOfWeek: "PublicHolidays" }] }, "invalid-hours"],
    ["a closure that is none", { closurePeriods: [{ fromDate: "soon" }] }, "invalid-hours"],
  ])("%s is refused", async (_, changes, reason) => {
    expect(await read({ locations: [location(changes)] })).toMatchObject([{ kind: "refusal", row: 1, reason }]);
  });

  test("an element that is not an object is refused without ending the reading", async () => {
    expect(await read({ locations: [null, 5, location()] })).toMatchObject([
      { kind: "refusal" },
      { kind: "refusal" },
      { kind: "draft", row: 3 },
    ]);
  });

  test("an error response of DHL is reported as such", async () => {
    await expect(read({ status: 429, title: "Too Many Requests", detail: "Slow down." })).rejects.toThrow(
      /an error of DHL's \(429: Slow down\.\)/,
    );
  });
});
