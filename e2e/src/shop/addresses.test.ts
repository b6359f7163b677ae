import { openAddresses } from "@petak/examples/addresses";
import { createAddressResolver, readAreas } from "@petak/examples/resolve-address";
import { expect, test } from "vitest";

const labels = async (text: string) => (await openAddresses())(text).map(({ label }) => label);

test.each([
  ["238801", ["238801, Orchard, Cairnhill, River Valley"]],
  ["Blk 98A Aljunied Crescent, Singapore 381098", ["381098, Geylang, Eunos"]],
  ["bukit timah", ["Ardmore, Bukit Timah, Holland Road, Tanglin", "Upper Bukit Timah, Clementi Park, Ulu Pandan"]],
  ["Kuala Lumpur", ["Kuala Lumpur"]],
  ["990000", []],
  ["23880", []],
  ["2388011", []],
  ["<b>nowhere</b>", []],
  ["", []],
])("the shop finds %j at %j", async (text, expected) => {
  expect(await labels(text)).toEqual(expected);
});

test("each postal sector of Singapore lies in Singapore, and in one district", async () => {
  const resolve = await openAddresses();
  const sectors = Array.from({ length: 82 }, (_, index) => String(index + 1).padStart(2, "0")).filter((sector) => sector !== "74");
  for (const sector of sectors) {
    const [found, ...others] = resolve(`${sector}0000`);
    expect([sector, others]).toEqual([sector, []]);
    expect(Math.abs((found?.latitude ?? 0) - 1.35)).toBeLessThan(0.11);
    expect(Math.abs((found?.longitude ?? 0) - 103.84)).toBeLessThan(0.17);
  }
});

test("of a shop's own table the longest prefix counts, and a wrong line is named", () => {
  const header = "prefixes\tlatitude\tlongitude\tname";
  const resolve = createAddressResolver(readAreas(`# ours\n${header}\n50 51\t3.1\t101.7\tthe city\n50450\t3.16\t101.71\ta street\n`), 5);
  expect([resolve("50450")[0]?.label, resolve("50460")[0]?.label]).toEqual(["50450, a street", "50460, the city"]);
  expect(() => readAreas(`${header}\n50\t91\t101.7\tthe city`)).toThrow(
    "Line 2 is '50\t91\t101.7\tthe city': it must be prefixes, latitude, longitude and name, separated by tabs.",
  );
});
