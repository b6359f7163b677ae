import { expect, test } from "vitest";
import { kindsOf, toggleFilter } from "./filters.ts";
import { isPoint, readSettings, roundPoint } from "./settings.ts";

const good: Readonly<Record<string, string>> = {
  gateway: "https://gateway.example/",
  "publishable-key": "pk_test_g0rz8n5k2w4y7q1m3t6v9x0c",
  "width-mm": "300",
  "height-mm": "100",
  "depth-mm": "400",
  "mass-g": "1000",
};
const read = (attributes: Readonly<Record<string, string | null>>) => {
  const all = { ...good, ...attributes };
  return readSettings((name) => all[name as keyof typeof all] ?? null, undefined);
};

test("attributes are read, with spaces and a slash too many", () => {
  expect(read({ point: " 1.3, 103.8 ", filters: "open-now step-free", operators: "par_1,par_2", "rounding-m": "100" })).toEqual({
    gateway: "https://gateway.example",
    publishableKey: good["publishable-key"],
    parcel: { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 },
    point: { latitude: 1.3, longitude: 103.8 },
    filters: new Set(["open-now", "step-free"]),
    operatorIds: ["par_1", "par_2"],
    roundingM: 100,
  });
});

test.each([
  [{ gateway: null }, "ATTRIBUTE_MISSING", "gateway"],
  [{ gateway: "javascript:alert(1)" }, "ATTRIBUTE_INVALID", "gateway"],
  [{ "publishable-key": "sk_live_1" }, "ATTRIBUTE_INVALID", "publishable-key"],
  [{ "width-mm": "30.5" }, "ATTRIBUTE_INVALID", "width-mm"],
  [{ "mass-g": "" }, "ATTRIBUTE_INVALID", "mass-g"],
  [{ point: "91,0" }, "ATTRIBUTE_INVALID", "point"],
  [{ point: "1.3" }, "ATTRIBUTE_INVALID", "point"],
  [{ filters: "open-now cheap" }, "ATTRIBUTE_INVALID", "filters"],
  [{ "rounding-m": "-1" }, "ATTRIBUTE_INVALID", "rounding-m"],
])("what is wrong in %j is named with its value", (attributes, reason, name) => {
  const value = Object.values(attributes)[0];
  const problem = read(attributes);
  expect(problem).toMatchObject({ reason, isPassing: false });
  expect("message" in problem && problem.message).toContain(`${name} of petak-picker ${value === null ? "is missing" : `is '${value}'`}`);
});

test("a rounded point is the middle of its field, the same for all points within", () => {
  const points = [
    { latitude: 1.31641, longitude: 103.88291 },
    { latitude: 1.31649, longitude: 103.88299 },
  ].map((point) => roundPoint(point, 1000));
  expect(points[0]).toEqual(points[1]);
  expect(roundPoint({ latitude: 1.31641, longitude: 103.88291 }, 0)).toEqual({ latitude: 1.31641, longitude: 103.88291 });
  expect(isPoint(roundPoint({ latitude: 90, longitude: 180 }, 10_000))).toBe(true);
});

test("terminals and stores exclude each other", () => {
  const stores = toggleFilter(toggleFilter(new Set(["step-free"]), "terminal"), "store");
  expect([[...stores], kindsOf(stores), kindsOf(toggleFilter(stores, "store"))]).toEqual([
    ["step-free", "store"],
    ["SITE_KIND_COLLECTION_POINT"],
    [],
  ]);
});
