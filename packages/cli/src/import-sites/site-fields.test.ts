import { describe, expect, test } from "vitest";
import { checkNames, mapColumns, parseColumnMap } from "./site-fields.ts";

function mapped(headers: string[], explicit: string[] = [], hasGeometry = false): Record<string, string> {
  return Object.fromEntries(mapColumns(headers, parseColumnMap(explicit), hasGeometry).columns);
}

describe("columns are guessed by their names, whatever their case and punctuation", () => {
  test.each<[string, string[], Record<string, string>]>([
    [
      "an authority's list",
      ["car_park_no", "address", "type", "decks", "lat", "lng"],
      { operator_site_ref: "car_park_no", "address.lines": "address", "position.latitude": "lat", "position.longitude": "lng" },
    ],
    ["short names", ["Y", "X", "Title"], { "position.latitude": "Y", "position.longitude": "X", name: "Title" }],
    [
      "long names",
      ["Postal Code", "LATITUDE", "Longitude", "Street Address", "City", "Country"],
      {
        "address.postal_code": "Postal Code",
        "position.latitude": "LATITUDE",
        "position.longitude": "Longitude",
        "address.lines": "Street Address",
        "address.locality": "City",
        "address.country_code": "Country",
      },
    ],
    ["one column of both", ["Name", "Lat/Lng"], { name: "Name", position: "Lat/Lng" }],
    [
      "the likelier of two",
      ["id", "ref", "lat_dd", "lng_dd"],
      { operator_site_ref: "ref", "position.latitude": "lat_dd", "position.longitude": "lng_dd" },
    ],
  ])("%s", (_, headers, columns) => {
    expect(mapped(headers)).toEqual(columns);
  });
});

test("given columns take precedence over guessed ones, and a column serves one field", () => {
  expect(mapped(["id", "name", "branch", "lat", "lng"], ["name=branch,operator_site_ref=name"])).toEqual({
    name: "branch",
    operator_site_ref: "name",
    "position.latitude": "lat",
    "position.longitude": "lng",
  });
  const { guessed } = mapColumns(["branch", "lat", "lng"], parseColumnMap(["name=branch"]), false);
  expect([...guessed]).toEqual(["position.latitude", "position.longitude"]);
});

test("with a geometry no column is taken for the position", () => {
  expect(mapped(["x", "y", "name"], [], true)).toEqual({ name: "name" });
});

test("a column's name may hold commas and equals signs", () => {
  expect([...parseColumnMap(["name=Shop, Branch,position.latitude=a=b"])]).toEqual([
    ["name", "Shop, Branch"],
    ["position.latitude", "a=b"],
  ]);
});

describe("a mapping that cannot be is refused with the columns that there are", () => {
  test.each<[string, () => unknown, RegExp]>([
    ["an unknown field", () => parseColumnMap(["latitude=Y"]), /no field "latitude".*position\.latitude/],
    ["no column", () => parseColumnMap(["name="]), /no column for name/],
    ["a column that does not exist", () => mapped(["a", "b"], ["name=c"]), /no column "c". Its columns: a, b/],
    ["no position", () => mapped(["name", "address"]), /No column looks like latitude and longitude.*name, address/],
    ["half a position", () => mapped(["name", "lat"]), /No column looks like latitude and longitude/],
    ["a column that exists twice", () => mapped(["lat", "lng", "name", "name"]), /several columns "name"/],
    [
      "nothing for a name",
      () => checkNames(mapColumns(["lat", "lng"], new Map(), false), undefined, ["lat", "lng"]),
      /No column looks like a name/,
    ],
    [
      "a template with a column that does not exist",
      () => checkNames(mapColumns(["lat", "lng"], new Map(), false), "At {road}", ["lat", "lng"]),
      /\{road\}.*Its columns: lat, lng/,
    ],
  ])("%s", (_, work, message) => {
    expect(work).toThrow(message);
  });
});
