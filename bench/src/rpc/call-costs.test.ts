import { expect, test } from "vitest";
import { callCosts } from "./call-costs.ts";
import type { RpcFigure } from "./figures.ts";
import { stackedChart } from "./stacked-chart.ts";
import { names } from "./subjects.ts";

const figure = (what: string, protocol: string, cpu: number, redis?: number): RpcFigure => ({
  what,
  protocol,
  requestsPerSecond: [1000],
  cpuMicrosPerCall: [cpu - 1, cpu, cpu + 1],
  ...(redis === undefined ? {} : { redisCpuMicrosPerCall: [redis] }),
});
const figures = [
  figure(names.netJson, "HTTP/1.1", 12),
  figure(names.netReserve, "HTTP/1.1", 13),
  figure(names.bareJson, "HTTP/1.1", 25),
  figure(names.bareReserve, "HTTP/1.1", 24),
  figure(names.stock, "Connect JSON", 180),
  figure(names.nothing, "Connect JSON", 60, 0),
  figure(names.findNearest, "Connect JSON", 150, 2),
  figure(names.findNearestOnePlace, "Connect JSON", 140, 3),
  figure(names.reserve, "Connect JSON", 400, 90),
];

test("the parts of a call add up to what it takes of the gateway, and Redis comes on top", () => {
  const [, stock, find, reserve] = callCosts(figures);
  expect(stock?.parts.map(({ micros }) => micros)).toEqual([12, 13, 155]);
  expect(find?.parts).toEqual([
    { name: "socket", micros: 12 },
    { name: "rpc", micros: 48 },
    { name: "search", micros: 90 },
    { name: "redis", micros: 2 },
  ]);
  expect(reserve?.parts.reduce((sum, { micros }) => sum + micros, 0)).toBe(400 + 90);
});

test("what costs no more than what it stands on is no part, and what follows is counted from there", () => {
  const noisy = figures.map((each) => (each.what === names.nothing ? figure(names.nothing, "Connect JSON", 10, 0) : each));
  expect(
    callCosts(noisy)[2]
      ?.parts.slice(0, 3)
      .map(({ micros }) => micros),
  ).toEqual([12, 0, 138]);
});

test("the picture names every part and its time", () => {
  const svg = stackedChart(callCosts(figures));
  for (const label of ["kernel and socket", "node:http", "connect-node", "HTTP and RPC layer", "search, answer", "hold", "Redis"])
    expect(svg).toContain(label);
  expect(svg).toContain("Reserve the nearest, JSON: 490 µs");
  expect(svg).not.toContain("NaN");
});
