import { encodeBase32, formatSiteId, siteNumberMax } from "@petak/protocol";
import { createRandom, testSeed } from "@petak/testkit";
import { describe, expect, it } from "vitest";
import { createSiteIds } from "./site-ids.ts";

const siteIds = createSiteIds("k3v9c0x2md");
const others = createSiteIds("0x2mdk3v9c");
const [region, elsewhere] = ["83652b", "836520"];
const random = createRandom(testSeed());
const numbers = [1, 31, 32, siteNumberMax, ...Array.from({ length: 100 }, () => random.int(1, siteNumberMax))];

describe("the site ids of a store", () => {
  it("differ from those of another store with the same region and number", () => {
    for (const siteNumber of numbers) {
      const siteId = siteIds.format(region, siteNumber);
      expect(siteId).not.toBe(others.format(region, siteNumber));
      expect(siteIds.parse(siteId)).toMatchObject({ region, siteNumber });
      expect(others.parse(siteId)).toBeUndefined();
      expect(() => others.require(siteId)).toThrow(`'${siteId}' is not a site of the store 0x2mdk3v9c`);
    }
    expect(siteIds.parse("site_83652b_8")).toBeUndefined();
  });

  it("are shortened and restored in a record of the region, of another region and of none", () => {
    for (const siteNumber of numbers) {
      const siteId = siteIds.format(region, siteNumber);
      const number = encodeBase32(siteNumber);
      expect(siteIds.shorten(siteId, region)).toBe(number);
      expect(siteIds.shorten(siteId, elsewhere)).toBe(`site_${region}_${number}`);
      expect(siteIds.shorten(siteId)).toBe(`site_${region}_${number}`);
      for (const of of [region, elsewhere, undefined]) expect(siteIds.lengthen(siteIds.shorten(siteId, of), of)).toBe(siteId);
    }
  });

  it("leave other texts unchanged", () => {
    for (const text of ["", formatSiteId(region, "0x2mdk3v9c", 8), "site", "par_w8ase5n2ehjkbmbe", "site_83652b_", "a text"]) {
      for (const of of [region, undefined]) expect(siteIds.lengthen(siteIds.shorten(text, of), of)).toBe(text);
    }
  });
});
