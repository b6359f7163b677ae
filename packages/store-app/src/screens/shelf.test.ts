import { create } from "@bufbuild/protobuf";
import { ParcelSchema } from "@petak/protocol/counter";
import { createRandom, testSeed } from "@petak/testkit";
import { expect, test } from "vitest";
import { findParcels } from "./shelf.ts";

test("one of 120 parcels is found by the last characters of its label, with its place, after one tap on the shelf", () => {
  const random = createRandom(testSeed());
  const ends = random.shuffle(Array.from({ length: 1000 }, (_, end) => String(end).padStart(3, "0"))).slice(0, 120);
  const parcels = ends.map((end, at) =>
    create(ParcelSchema, { reservationId: `res_${at}x`, shelfPlace: `A-${at}x`, labelCodes: [`BX${random.int(10_000, 99_999)}${end}`] }),
  );
  for (const [at, end] of ends.entries()) expect(findParcels(parcels, ` ${end} `)).toEqual([parcels[at]]);
});
