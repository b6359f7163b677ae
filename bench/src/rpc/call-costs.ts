import { median } from "../median.ts";
import type { RpcFigure } from "./figures.ts";
import { names } from "./subjects.ts";

/** What the time of a call goes into. */
export const partNames = {
  socket: "kernel and socket",
  http: "node:http",
  stock: "connect-node",
  rpc: "HTTP and RPC layer",
  search: "search, answer",
  hold: "hold",
  redis: "Redis",
} as const;
export type PartName = keyof typeof partNames;

/** The processor time of one kind of call, taken apart. */
export interface CallCost {
  title: string;
  /** In the order in which they add up, in µs. None is less than nothing. */
  parts: { name: PartName; micros: number }[];
}

/**
 * Takes calls apart by what servers take that do less and less of them: each part is the difference between two of them, in the same run. Redis is
 * another process, and its time its own. What `node:http` takes stands beside, for comparison: the gateway may do plain calls with less.
 */
export function callCosts(figures: readonly RpcFigure[]): CallCost[] {
  const figureOf = (what: string, protocol: string) => figures.find((figure) => figure.what === what && figure.protocol === protocol);
  const json = (what: string) => median(figureOf(what, "Connect JSON")?.cpuMicrosPerCall ?? []);
  const bare = (what: string) => median(figureOf(what, "HTTP/1.1")?.cpuMicrosPerCall ?? []);
  const redis = (what: string): Step => ["redis", median(figureOf(what, "Connect JSON")?.redisCpuMicrosPerCall ?? [])];
  return [
    costOf("For comparison: node:http sends the bytes of FindNearest", [
      ["socket", bare(names.netJson)],
      ["http", bare(names.bareJson)],
    ]),
    costOf("For comparison: stock connect-node, a call that does nothing", [
      ["socket", bare(names.netJson)],
      ["http", bare(names.bareJson)],
      ["stock", json(names.stock)],
    ]),
    costOf(
      "FindNearest from all over the city, JSON, five options",
      [
        ["socket", bare(names.netJson)],
        ["rpc", json(names.nothing)],
        ["search", json(names.findNearest)],
      ],
      redis(names.findNearest),
    ),
    costOf(
      "Reserve the nearest, JSON",
      [
        ["socket", bare(names.netReserve)],
        ["rpc", json(names.nothing)],
        ["search", json(names.findNearest)],
        ["hold", json(names.reserve)],
      ],
      redis(names.reserve),
    ),
  ];
}

/** A part, and what a server takes that does it and all before it. */
type Step = readonly [PartName, number];

function costOf(title: string, upTo: readonly Step[], ...apart: readonly Step[]): CallCost {
  let before = 0;
  const parts = upTo.map(([name, micros]) => {
    const part = { name, micros: Math.max(0, micros - before) };
    before = Math.max(before, micros);
    return part;
  });
  return { title, parts: [...parts, ...apart.map(([name, micros]) => ({ name, micros }))] };
}
