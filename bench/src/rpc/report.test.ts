import { expect, test } from "vitest";
import type { PacedFigure, RpcReport } from "./figures.ts";
import { reportTable } from "./report.ts";

const paced = (p50Us: number, p99Us: number, came: number): PacedFigure => ({
  what: "gateway, FindNearest from all over the city",
  arrivals: "even",
  most: 10_000,
  wanted: 7000,
  requestsPerSecond: came,
  p50Us,
  p99Us,
  lateP99Us: 20,
});
const report = (figures: PacedFigure[]): RpcReport => ({
  commit: "c",
  node: "n",
  server: "s",
  cpu: "p",
  generators: "g",
  connections: 16,
  streamsPerConnection: 8,
  seconds: 2,
  rounds: 3,
  siteCount: 1,
  answerBytes: 1,
  figures: [
    { what: "bare node:http, x", protocol: "HTTP/1.1", requestsPerSecond: [40_000, 20_000], cpuMicrosPerCall: [20, 30] },
    {
      what: "ours",
      protocol: "Connect JSON",
      requestsPerSecond: [12_000],
      cpuMicrosPerCall: [50],
      redisCpuMicrosPerCall: [7],
      target: { peer: "bare node:http, x", protocol: "HTTP/1.1", ratio: 0.4 },
    },
  ],
  paced: figures,
});

test("rates are compared by the medians of the rounds, and processor times too", () => {
  expect(reportTable(report([]))).toContain("| 50 | 7 | 0.40 of bare node:http, by CPU 0.50 | ≥ 0.4: met |");
});

test("a round in which the rate was not kept says nothing about the tail at that rate", () => {
  const table = reportTable(report([paced(200, 1400, 6990), paced(100_000, 150_000, 5000), paced(200, 1400, 7000)]));
  expect(table).toContain("| at equal distances | 2 of 3 | 7.0 | 7.0 | 20 | 200 | 1400 | 7.0 | ≤ 5: **not met** |");
  expect(reportTable(report([paced(100_000, 150_000, 5000)]))).toContain("| 0 of 1 | | | | | | | not measured");
});
