import { expect, test } from "vitest";
import { type Figure, microsUnit } from "../allocator/report/figure.ts";
import { names } from "../rpc/subjects.ts";
import { costsOf } from "./write-scale.ts";

const rpc = {
  figures: [
    {
      what: names.findNearest,
      protocol: "Connect JSON",
      requestsPerSecond: [1],
      cpuMicrosPerCall: [90, 110],
      redisCpuMicrosPerCall: [1, 1],
    },
    { what: names.reserve, protocol: "Connect JSON", requestsPerSecond: [1], cpuMicrosPerCall: [500], redisCpuMicrosPerCall: [95] },
  ],
};
const bytes = (what: string, ours: number): Figure => ({ part: "nearest", what, unit: "bytes", ours: [ours] });
const growth: Figure = {
  part: "growth",
  what: "nearest, 1,000,000 sites over ASEAN, 50 % full",
  unit: microsUnit,
  ours: [0.6],
  peer: { name: "Petak, 10,000 sites in one city", values: [0.5], isOurs: true },
  target: { limit: 1.3, is: "at most" },
};
const { target: _, ...cold } = { ...growth, variant: "reading all it needs each time", ours: [9] };
const figures = [
  bytes("memory of a site's place in the index, 10,000 sites", 250),
  bytes("memory of a site's place in the index, 100,000 sites", 190),
  bytes("memory of a site's facts, 100,000 sites", 400),
  bytes("memory of a held reservation, everything included, 100,000 sites", 780),
  cold,
  growth,
];

test("costs are taken from the recorded runs of the larger network with an index cache", () => {
  expect(costsOf(rpc, { figures })).toEqual({
    lookMicros: 100,
    reserveMicros: 500,
    redisReserveMicros: 95,
    warmQueryMicros: 0.6,
    queriesPerHold: 10,
    siteBytes: 590,
    reservationBytes: 780,
  });
});

test("a missing figure in the recorded runs is an error", () => {
  expect(() => costsOf({ figures: [] }, { figures })).toThrow("FindNearest");
  expect(() => costsOf(rpc, { figures: [] })).toThrow("nearest over ASEAN");
});
