import { createSiteIds } from "@petak/redis";
import { createRandom, testSeed, testStoreCode } from "@petak/testkit";
import { expect, it } from "vitest";
import { DecodedBlock } from "./decoded-block.ts";
import { encodeRecord, freeOffset, maxSizeClasses, openingHoursOffset, profileOffset, recordBytes } from "./record.ts";

it("a block's summaries agree with its individual sites", () => {
  const random = createRandom(testSeed());
  for (let round = 0; round < 300; round++) {
    const records = Array.from({ length: random.int(0, 12) }, (_, index) => {
      const position = { latitude: random.float(-90, 90), longitude: random.float(-180, 180) };
      const countryCode = random.pick(["SG", "MY"]);
      const record = encodeRecord({
        siteNumber: index + 1,
        position,
        revision: 1,
        flags: random.int(0, 31),
        operatorNumber: 1,
        countryCode,
      });
      record.writeUInt16LE(random.int(0, 3), profileOffset);
      record.writeUInt16LE(random.int(0, 2), openingHoursOffset);
      for (let place = 0; place < maxSizeClasses; place++) record[freeOffset + place] = random.bool(0.2) ? random.int(1, 255) : 0;
      return record;
    });
    const block = new DecodedBlock(Buffer.concat([...records, Buffer.alloc(random.int(0, recordBytes - 1))]), createSiteIds(testStoreCode));
    const indexes = records.map((_, index) => index);
    const freeBy = new Map<number, number>();
    for (const index of indexes) {
      const free = Array.from({ length: maxSizeClasses }, (_, place) => (block.freePlaces(index, place) > 0 ? 1 << place : 0));
      expect(block.free[index]).toBe(free.reduce((bits, bit) => bits | bit, 0));
      freeBy.set(block.profileNumber(index), (freeBy.get(block.profileNumber(index)) ?? 0) | (block.free[index] as number));
    }
    expect(block.count).toBe(records.length);
    expect(new Map(block.profileNumbers.map((number, slot) => [number, block.freeOfProfile[slot]]))).toEqual(freeBy);
    expect(block.someFlags).toBe(indexes.reduce((bits, index) => bits | (block.flags[index] as number), 0));
    expect(block.allFlags).toBe(indexes.reduce((bits, index) => bits & (block.flags[index] as number), -1));
    expect(new Set(block.hoursNumbers)).toEqual(new Set(indexes.map((index) => block.hoursNumber(index))));
    expect(new Set(block.countries)).toEqual(new Set(indexes.map((index) => block.country(index))));
  }
});
