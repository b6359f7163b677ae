import { expect, test } from "vitest";
import { timeZoneAt } from "./time-zone.ts";

test.each([
  ["Singapore", 1.2897, 103.8501, "SG", "Asia/Singapore"],
  ["Ho Chi Minh City", 10.823, 106.6297, "VN", "Asia/Ho_Chi_Minh"],
  ["Leipzig", 51.33, 12.33, "DE", "Europe/Berlin"],
  ["Makassar", -5.15, 119.43, "ID", "Asia/Makassar"],
])("%s has its own zone", (_, latitude, longitude, countryCode, timeZone) => {
  expect(timeZoneAt(latitude, longitude, countryCode)).toEqual({ timeZone, agreesWithCountry: true });
});

test.each([
  ["Dili, the country's only zone", -8.5586, 125.5736, "TL", "Asia/Dili"],
  ["Jayapura, the nearest of the country's zones", -2.5337, 140.7181, "ID", "Asia/Jayapura"],
])("a zone of another country is put right: %s", (_, latitude, longitude, countryCode, timeZone) => {
  expect(timeZoneAt(latitude, longitude, countryCode)).toEqual({ timeZone, agreesWithCountry: false });
});

test("a place in the wrong country is detected", () => {
  expect(timeZoneAt(51.33, 12.33, "SG")).toEqual({ timeZone: "Asia/Singapore", agreesWithCountry: false });
  expect(timeZoneAt(51.33, 12.33, "VN").timeZone).toBe("Asia/Ho_Chi_Minh");
});

test("without a country the map alone decides", () => {
  expect(timeZoneAt(51.33, 12.33, "")).toEqual({ timeZone: "Europe/Berlin", agreesWithCountry: true });
});
