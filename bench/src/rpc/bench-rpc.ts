import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { startRedisServer } from "@petak/redis/server";

import { treeCpuSeconds } from "../process-cpu.ts";
import type { Arrivals } from "./arrivals.ts";
import { findNearestCall, oneReserveCall, readFindNearest } from "./cases.ts";
import type { PacedFigure, RpcFigure, RpcReport } from "./figures.ts";
import { connections, generatorNames, type LoadRequest, loadHttp1, loadHttp2, loadPaced, streamsPerConnection } from "./generators.ts";
import { type PinnedServer, startPinned } from "./pinned-process.ts";
import { writeRpcReport } from "./report.ts";
import { pacedSubjectsOf, type Servers, type Subject, subjectsOf } from "./subjects.ts";

/** Core of the server, and of the load generator and Redis. */
const serverCore = 0;
const clientCore = 1;

/** Sites in the bench's city, the size of Singapore. */
const siteCount = 10_000;

/** Seconds of load before the first measurement of a subject: the time in which Node compiles what is hot, on the core it serves from. */
const warmUpSeconds = 5;

const servers = join(import.meta.dirname, "../servers");

/** What the bench is asked to do. */
export interface RpcBenchOptions {
  seconds: number;
  rounds: number;
  json: boolean;
  /** Prints the report and keeps nothing. */
  isDry: boolean;
}

/** Measures what an RPC costs, beside the peers and the limit. */
export async function benchRpc({ seconds, rounds, json: printsJson, isDry }: RpcBenchOptions): Promise<void> {
  for (const tool of ["taskset", "wrk", "h2load"]) requireTool(tool);
  const say = (line: string) => void (printsJson || process.stderr.write(`${line}\n`));
  const folder = await mkdtemp(join(tmpdir(), "petak-bench-"));
  const redis = await startRedisServer({ dataDir: join(folder, "redis") });
  execFileSync("taskset", ["-cp", String(clientCore), String(redis.pid)]);
  const running: PinnedServer[] = [];
  const start = async (script: string, args: string[] = []) => {
    const server = await startPinned(serverCore, join(servers, script), args);
    running.push(server);
    return server;
  };
  try {
    say(`Loading ${siteCount} sites …`);
    const gateway = await start("gateway.ts", [redis.socketPath, String(siteCount)]);
    const authorization = String(gateway.ready.authorization);
    const { port } = gateway.ready;
    const json = await answerOf(findNearestCall(port, "Connect JSON", authorization));
    const binary = await answerOf(findNearestCall(port, "Connect binary", authorization));
    for (const [protocol, answer] of [
      ["Connect JSON", json],
      ["Connect binary", binary],
    ] as const) {
      const options = readFindNearest(protocol, answer).options.length;
      if (options !== 5) throw new Error(`FindNearest over ${protocol} gave ${options} options, not 5`);
    }
    const reserved = await answerOf(oneReserveCall(port, authorization));
    const net = (answer: Uint8Array) => start("bare-net.ts", [asHttp(answer).toString("base64")]);
    const bare = (answer: Uint8Array, contentType: string) => start("bare-http.ts", [Buffer.from(answer).toString("base64"), contentType]);
    const servers: Servers = {
      gateway,
      netJson: await net(json),
      netReserve: await net(reserved),
      bareJson: await bare(json, "application/json"),
      bareBinary: await bare(binary, "application/proto"),
      bareReserve: await bare(reserved, "application/json"),
      stock: await start("stock-connect.ts"),
      stockHttp2: await start("stock-connect.ts", ["h2"]),
      grpcJs: await start("grpc-js.ts"),
    };
    const figures = await measure(subjectsOf(servers, authorization), gateway, redis.pid, seconds, rounds, say);
    const paced = await measurePaced(pacedSubjectsOf(servers, authorization), seconds, rounds, say);
    const report: RpcReport = {
      commit: commitNow(),
      node: process.version,
      server: `${redis.flavour} ${redis.version}`,
      cpu: cpus()[0]?.model ?? "unknown",
      generators: generatorNames,
      connections,
      streamsPerConnection,
      seconds,
      rounds,
      siteCount,
      answerBytes: json.length,
      figures,
      paced,
    };
    await writeRpcReport(report, { json: printsJson, isKept: !isDry });
  } finally {
    for (const server of running) await server.stop();
    await redis.stop();
    await rm(folder, { recursive: true });
  }
}

/** Measures all subjects in turn, round after round, so that a slow minute of the machine falls on all of them. */
async function measure(
  subjects: readonly Subject[],
  gateway: PinnedServer,
  redisPid: number,
  seconds: number,
  rounds: number,
  say: (line: string) => void,
): Promise<RpcFigure[]> {
  const figures = subjects.map(
    ({ what, protocol, target }): RpcFigure => ({ what, protocol, ...(target && { target }), requestsPerSecond: [], cpuMicrosPerCall: [] }),
  );
  for (let round = 0; round < rounds; round++) {
    for (const [index, { what, protocol, isHttp2, request, server }] of subjects.entries()) {
      const load = isHttp2 ? loadHttp2 : loadHttp1;
      if (round === 0) await load(clientCore, warmUpSeconds, request);
      const cpuBefore = server.cpuSeconds();
      const redisBefore = treeCpuSeconds(redisPid);
      const { requestsPerSecond, failed } = await load(clientCore, seconds, request);
      if (failed > 0) throw new Error(`${what} over ${protocol}: ${failed} requests failed`);
      const calls = requestsPerSecond * seconds;
      const cpuMicros = ((server.cpuSeconds() - cpuBefore) * 1e6) / calls;
      const figure = figures[index] as RpcFigure;
      figure.requestsPerSecond.push(requestsPerSecond);
      figure.cpuMicrosPerCall.push(cpuMicros);
      if (server === gateway) {
        figure.redisCpuMicrosPerCall ??= [];
        figure.redisCpuMicrosPerCall.push(((treeCpuSeconds(redisPid) - redisBefore) * 1e6) / calls);
      }
      say(`round ${round + 1} of ${rounds}: ${what}, ${protocol}: ${Math.round(requestsPerSecond)}/s, ${Math.round(cpuMicros)} µs CPU`);
    }
  }
  return figures;
}

/** The share of its capacity at which a server's latencies are looked at. */
const pacedShare = 0.7;

/**
 * Measures latencies at a rate below what the server can do, which is kept whatever the answers: a queue that builds up is seen. What it can do is
 * measured immediately before, for as long: the machine may be slower than it was when the rest was measured.
 */
async function measurePaced(
  subjects: readonly Subject[],
  seconds: number,
  rounds: number,
  say: (line: string) => void,
): Promise<PacedFigure[]> {
  const found: PacedFigure[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const { what, request } of subjects) {
      for (const arrivals of ["even", "random"] satisfies Arrivals[]) {
        const { requestsPerSecond: most } = await loadHttp1(clientCore, seconds, request);
        const wanted = Math.round(most * pacedShare);
        const { failed, ...kept } = await loadPaced(clientCore, seconds, request, wanted, arrivals);
        if (failed > 0) throw new Error(`${failed} paced requests failed`);
        found.push({ what, arrivals, most, wanted, ...kept });
        const latencies = `p50 ${Math.round(kept.p50Us)} µs, p99 ${Math.round(kept.p99Us)} µs`;
        say(`round ${round + 1} of ${rounds}: ${what} at ${wanted}/s, ${arrivals} arrivals: ${latencies}`);
      }
    }
  }
  return found;
}

/** An answer with the headers that node:http gives it. */
function asHttp(body: Uint8Array): Buffer {
  const headers = ["content-type: application/json", `content-length: ${body.length}`, `Date: ${new Date().toUTCString()}`];
  const head = ["HTTP/1.1 200 OK", ...headers, "Connection: keep-alive", "Keep-Alive: timeout=5"].join("\r\n");
  return Buffer.concat([Buffer.from(`${head}\r\n\r\n`), body]);
}

async function answerOf({ url, body, headers }: LoadRequest): Promise<Uint8Array> {
  const response = await fetch(url, { method: "POST", headers, body: Buffer.from(body ?? []) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  return new Uint8Array(await response.arrayBuffer());
}

function requireTool(tool: string): void {
  try {
    execFileSync("which", [tool], { stdio: "ignore" });
  } catch {
    throw new Error(`${tool} is not installed; on Debian: apt-get install wrk nghttp2-client util-linux`);
  }
}

function commitNow(): string {
  const head = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  const isDirty = execFileSync("git", ["status", "--porcelain", "--", "packages", "bench/src"], { encoding: "utf8" }) !== "";
  return isDirty ? `${head} with changes` : head;
}
