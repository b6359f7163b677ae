import type { Arrivals } from "./arrivals.ts";
import type { PacedResult } from "./generators.ts";

/** One thing measured: requests a second, round after round. */
export interface RpcFigure {
  what: string;
  protocol: string;
  requestsPerSecond: number[];
  /** Processor time of the server for each call, in µs. */
  cpuMicrosPerCall: number[];
  /** The same of Redis, where the gateway was called. What Redis does without calls, in the background, is in it. */
  redisCpuMicrosPerCall?: number[];
  /** What it is compared with, and the ratio of the rates that is wanted. */
  target?: { peer: string; protocol: string; ratio: number };
}

/** Latencies at a rate that was kept. */
export interface PacedFigure extends Omit<PacedResult, "failed"> {
  what: string;
  arrivals: Arrivals;
  /** The most that the server did immediately before, a second. */
  most: number;
  /** The rate, a second. */
  wanted: number;
}

/** A run of the RPC bench and all that is needed to judge it. */
export interface RpcReport {
  commit: string;
  node: string;
  /** Flavour and version of the Redis server. */
  server: string;
  cpu: string;
  generators: string;
  connections: number;
  streamsPerConnection: number;
  seconds: number;
  rounds: number;
  siteCount: number;
  /** Length of FindNearest's JSON answer, which bare node:http sends too. */
  answerBytes: number;
  figures: RpcFigure[];
  paced: PacedFigure[];
}
