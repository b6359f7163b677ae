import { expect, test } from "vitest";
import { aseanNetwork, originsNearSites } from "./asean.ts";

test("a network over ASEAN has the requested number of sites, and the same ones for the same seed", () => {
  const network = aseanNetwork(10_000, 1);
  expect(network.latitudes).toHaveLength(10_000);
  expect(network.latitudes.every((latitude) => latitude > -12 && latitude < 29 && latitude !== 0)).toBe(true);
  expect(network.longitudes.every((longitude) => longitude > 90 && longitude < 142)).toBe(true);
  expect(aseanNetwork(10_000, 1).latitudes).toEqual(network.latitudes);
  expect(aseanNetwork(10_000, 2).latitudes).not.toEqual(network.latitudes);
});

test("countries have sites in proportion to the population of their cities", () => {
  const network = aseanNetwork(10_000, 1);
  const countries = Array.from({ length: network.count }, (_, index) => network.countryOf(index));
  const sitesIn = (countryCode: string) => countries.filter((country) => country === countryCode).length;
  expect(sitesIn("ID")).toBeGreaterThan(sitesIn("TH"));
  expect(sitesIn("TH")).toBeGreaterThan(sitesIn("BN"));
  expect(sitesIn("SG")).toBeGreaterThan(100);
});

test("origins are near sites", () => {
  const network = aseanNetwork(1000, 1);
  for (const { latitude, longitude } of originsNearSites(network, 50, 2)) {
    const isNear = network.latitudes.some(
      (other, index) => Math.abs(other - latitude) < 0.003 && Math.abs((network.longitudes[index] as number) - longitude) < 0.003,
    );
    expect(isNear).toBe(true);
  }
});
