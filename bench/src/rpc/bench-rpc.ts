import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { startRedisServer } from "@petak/allocator/redis-server";
import { emptyCall, findNearestCall, type Protocol, protocols, readFindNearest } from "./cases.ts";
import { connections, generatorNames, type LoadRequest, loadHttp1, loadHttp2, streamsPerConnection } from "./generators.ts";
import { type PinnedServer, startPinned } from "./pinned-process.ts";
import { type RpcFigure, type RpcReport, writeRpcReport } from "./report.ts";

/** Core of the server, and of the load generator and Redis. */
const serverCore = 0;
const clientCore = 1;

/** Sites in the bench's city, the size of Singapore. */
const siteCount = 10_000;

/** Seconds of load before the first measurement of a server: the time in which Node compiles what is hot. */
const warmUpSeconds = 2;

const servers = join(import.meta.dirname, "../servers");

interface Subject {
  what: string;
  protocol: Protocol | "HTTP/1.1";
  isHttp2: boolean;
  request: LoadRequest;
  server: PinnedServer;
}

/** Measures what an RPC costs, beside the peers and the limit. */
export async function benchRpc({ seconds, rounds, json }: { seconds: number; rounds: number; json: boolean }): Promise<void> {
  for (const tool of ["taskset", "wrk", "h2load"]) requireTool(tool);
  const say = (line: string) => void (json || process.stderr.write(`${line}\n`));
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
    const answer = await answerOf(findNearestCall(gateway.ready.port, "Connect JSON", authorization));
    const options = readFindNearest("Connect JSON", answer).options.length;
    if (options !== 5) throw new Error(`FindNearest gave ${options} options, not 5`);
    const bare = await start("bare-http.ts", [Buffer.from(answer).toString("base64")]);
    const stock = await start("stock-connect.ts");
    const stockHttp2 = await start("stock-connect.ts", ["h2"]);
    const grpc = await start("grpc-js.ts");

    const subjects: Subject[] = [
      {
        what: "bare node:http, the bytes of FindNearest",
        protocol: "HTTP/1.1",
        isHttp2: false,
        request: findNearestCall(bare.ready.port, "Connect JSON", authorization),
        server: bare,
      },
      ...protocols.map(({ protocol, isHttp2 }) => ({
        what: "stock connect-node, nothing",
        protocol,
        isHttp2,
        request: emptyCall((isHttp2 ? stockHttp2 : stock).ready.port, protocol),
        server: isHttp2 ? stockHttp2 : stock,
      })),
      { what: "grpc-js, nothing", protocol: "gRPC", isHttp2: true, request: emptyCall(grpc.ready.port, "gRPC"), server: grpc },
      ...protocols.map(({ protocol, isHttp2 }) => ({
        what: "gateway, nothing",
        protocol,
        isHttp2,
        request: emptyCall(gateway.ready.port, protocol),
        server: gateway,
      })),
      ...protocols.map(({ protocol, isHttp2 }) => ({
        what: "gateway, FindNearest",
        protocol,
        isHttp2,
        request: findNearestCall(gateway.ready.port, protocol, authorization),
        server: gateway,
      })),
    ];
    const figures = await measure(subjects, seconds, rounds, say);
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
      answerBytes: answer.length,
      figures,
    };
    await writeRpcReport(report, json);
  } finally {
    for (const server of running) await server.stop();
    await redis.stop();
    await rm(folder, { recursive: true });
  }
}

/** Measures all subjects in turn, round after round, so that a slow minute of the machine falls on all of them. */
async function measure(subjects: readonly Subject[], seconds: number, rounds: number, say: (line: string) => void): Promise<RpcFigure[]> {
  const figures = subjects.map(({ what, protocol }): RpcFigure => ({ what, protocol, requestsPerSecond: [], cpuMicrosPerCall: [] }));
  for (let round = 0; round < rounds; round++) {
    for (const [index, { what, protocol, isHttp2, request, server }] of subjects.entries()) {
      const load = isHttp2 ? loadHttp2 : loadHttp1;
      if (round === 0) await load(clientCore, warmUpSeconds, request);
      const cpuBefore = server.cpuSeconds();
      const { requestsPerSecond, failed } = await load(clientCore, seconds, request);
      if (failed > 0) throw new Error(`${what} over ${protocol}: ${failed} requests failed`);
      const cpuMicros = ((server.cpuSeconds() - cpuBefore) * 1e6) / (requestsPerSecond * seconds);
      figures[index]?.requestsPerSecond.push(requestsPerSecond);
      figures[index]?.cpuMicrosPerCall.push(cpuMicros);
      say(`round ${round + 1} of ${rounds}: ${what}, ${protocol}: ${Math.round(requestsPerSecond)}/s, ${Math.round(cpuMicros)} µs CPU`);
    }
  }
  return figures;
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
