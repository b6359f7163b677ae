import { createSiteIds } from "@petak/redis";
import { createRandom, testSeed, testStoreCode } from "@petak/testkit";
import { expect, it } from "vitest";
import { DecodedBlock } from "../block/decoded-block.ts";
import { encodeRecord } from "../block/record.ts";
import { IndexRegion, RegionProfile } from "../h3-index/index-region.ts";
import { type Found, NearestK } from "./nearest-k.ts";

const position = { latitude: 1.3, longitude: 103.8 };

function foundIn(region: string, siteNumber: number, distanceM: number): Found {
  const record = encodeRecord({ siteNumber, position, revision: 1, flags: 0, operatorNumber: 1, countryCode: "SG" });
  const cell = { cell: "", region: new IndexRegion(region), number: 0, blockKey: "" };
  return { distanceM, cell, block: new DecodedBlock(record, createSiteIds(testStoreCode)), index: 0, profile: new RegionProfile([]) };
}

it("of sites at equal distances the lowest ids are kept, whatever their regions and order", () => {
  const random = createRandom(testSeed());
  for (let round = 0; round < 200; round++) {
    const sites = Array.from({ length: 60 }, () =>
      foundIn(random.pick(["836520", "836521", "83652b"]), random.int(1, 100_000), random.pick([10, 20, 30])),
    );
    const idOf = ({ block, index, cell }: Found) => block.siteId(index, cell.region.region);
    const limit = random.int(1, 40);
    const best = new NearestK(limit, 25);
    for (const site of sites) best.offer(site);
    const expected = sites
      .filter(({ distanceM }) => distanceM <= 25)
      .sort((a, b) => a.distanceM - b.distanceM || (idOf(a) < idOf(b) ? -1 : 1))
      .slice(0, limit);
    expect(best.found.map(idOf)).toEqual(expected.map(idOf));
    expect(best.reachM).toBe(expected.length < limit ? 25 : expected.at(-1)?.distanceM);
  }
});
