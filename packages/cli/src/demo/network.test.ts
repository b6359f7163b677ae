import { create } from "@bufbuild/protobuf";
import { SiteKind, SiteSchema, validateMessage } from "@petak/protocol";
import { describe, expect, test } from "vitest";
import { demoCountryCodes, readDemoCities } from "./cities.ts";
import { buildDemoNetwork, type SiteInit } from "./network.ts";
import { demoOperators } from "./operators.ts";

const network = buildDemoNetwork({ sites: 1500, seed: 7 });
const sites = [...network.sitesByOperator.values()].flat();
const messages = sites.map((site) => create(SiteSchema, site));

function bytesOf(options: { sites: number; seed: number }): string {
  return JSON.stringify([...buildDemoNetwork(options).sitesByOperator]);
}

describe("the demonstration network", () => {
  test("has exactly the given number of sites, with unique references", () => {
    expect(sites).toHaveLength(1500);
    expect(new Set(messages.map(({ operatorSiteRef }) => operatorSiteRef)).size).toBe(1500);
  });

  test("is the same for the same seed, byte for byte, and another for another", () => {
    expect(bytesOf({ sites: 300, seed: 7 })).toBe(bytesOf({ sites: 300, seed: 7 }));
    expect(bytesOf({ sites: 300, seed: 7 })).not.toBe(bytesOf({ sites: 300, seed: 8 }));
  });

  test("keeps the protocol's rules at every site", () => {
    for (const message of messages) validateMessage(SiteSchema, message);
  });

  test("cannot be mistaken for anybody's real lockers", () => {
    for (const { name, isTest, access } of messages) {
      expect(name).toMatch(/^Petak demo · .+ \d+$/);
      expect(isTest).toBe(true);
      expect(access?.entranceHint).toMatch(/fictitious/);
    }
    for (const { name } of demoOperators) expect(name).toMatch(/\(demo\)$/);
  });

  test("distributes sites by population: every country's share is within one site per city", () => {
    const cities = readDemoCities();
    const all = cities.reduce((sum, { population }) => sum + population, 0);
    for (const countryCode of demoCountryCodes) {
      const own = cities.filter((city) => city.countryCode === countryCode);
      const people = own.reduce((sum, { population }) => sum + population, 0);
      const count = messages.filter(({ address }) => address?.countryCode === countryCode).length;
      expect(Math.abs(count - (1500 * people) / all)).toBeLessThan(own.length);
    }
    const largest = cities.toSorted((a, b) => b.population - a.population)[0];
    const there = messages.filter(({ operatorSiteRef }) => operatorSiteRef.startsWith(`demo-7-${largest?.cityId}-`)).length;
    expect(Math.abs(there - (1500 * (largest?.population ?? 0)) / all)).toBeLessThan(1);
  });

  test("has operators in their own countries only, with terminals and stores as they run them", () => {
    for (const { key, countryCodes, terminalShare } of demoOperators) {
      const own = (network.sitesByOperator.get(key) ?? []).map((site) => create(SiteSchema, site));
      expect(own.length).toBeGreaterThan(0);
      for (const { address } of own) expect(countryCodes).toContain(address?.countryCode);
      const terminals = own.filter(({ kind }) => kind === SiteKind.PARCEL_TERMINAL);
      expect(Math.abs(terminals.length / own.length - terminalShare)).toBeLessThan(0.15);
      for (const { compartments } of terminals) expect(compartments.length).toBeGreaterThan(0);
    }
  });

  test("has most terminals open day and night, and the zone of the country", () => {
    const terminals = messages.filter(({ kind }) => kind === SiteKind.PARCEL_TERMINAL);
    const open = terminals.filter(({ openingHours }) => openingHours?.alwaysOpen);
    expect(open.length / terminals.length).toBeGreaterThan(0.75);
    const zones = new Set(messages.filter(({ address }) => address?.countryCode === "ID").map(({ timeZone }) => timeZone));
    expect([...zones].every((zone) => ["Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura", "Asia/Pontianak"].includes(zone))).toBe(true);
  });

  test("keeps the places of a smaller network of the same seed", () => {
    const placeOf = (one: SiteInit) => JSON.stringify(one.position);
    const larger = new Map(
      [...buildDemoNetwork({ sites: 3000, seed: 7 }).sitesByOperator.values()].flat().map((one) => [one.operatorSiteRef, placeOf(one)]),
    );
    const kept = sites.filter(({ operatorSiteRef }) => larger.has(operatorSiteRef));
    expect(kept.length).toBeGreaterThan(1400);
    for (const site of kept) expect(larger.get(site.operatorSiteRef)).toBe(placeOf(site));
  });
});

test.each([0, -1, 1.5, 200_001, Number.NaN])("%s sites are refused", (count) => {
  expect(() => buildDemoNetwork({ sites: count })).toThrow(/1 to 200000 sites/);
});
