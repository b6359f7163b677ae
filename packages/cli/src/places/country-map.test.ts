import { expect, test } from "vitest";
import { readCountryMap } from "./country-map.ts";

const map = readCountryMap();

test.each([
  ["Singapore's centre", "SG", 1.35, 103.82],
  ["Bangkok", "TH", 13.754, 100.501],
  ["Borneo's Malaysia", "MY", 3.0, 113.5],
  ["Dili", "TL", -8.62, 125.6],
])("%s is on its country's land", (_, countryCode, latitude, longitude) => {
  expect(map.isOnLand(countryCode, latitude, longitude)).toBe(true);
});

test.each([
  ["the sea south of Singapore", "SG", 1.15, 103.9],
  ["Johor Bahru, which is Malaysia's", "SG", 1.55, 103.75],
  ["the middle of the Gulf of Thailand", "TH", 9.5, 101.5],
  ["Brunei within Malaysia", "MY", 4.6, 114.6],
  ["a country that is not on the map", "DE", 51.3, 12.3],
])("%s is not", (_, countryCode, latitude, longitude) => {
  expect(map.isOnLand(countryCode, latitude, longitude)).toBe(false);
});
