import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Arrivals } from "./arrivals.ts";

const run = promisify(execFile);

/** A request that a load generator sends over and over. */
export interface LoadRequest {
  url: string;
  /** `GET` where there is no body. */
  body?: Uint8Array;
  /** Sent in turn instead of `body`, by all generators but h2load. */
  bodies?: readonly Uint8Array[];
  headers: Record<string, string>;
  /** Makes further lines of wrk's script for a run, e.g. a function that makes each request. */
  lua?: () => string;
}

/** What a load generator counted. */
export interface LoadResult {
  requestsPerSecond: number;
  /** Requests that were not answered with HTTP 2xx. */
  failed: number;
}

/** What was counted at a rate that was kept whatever the answers. */
export interface PacedResult {
  /** What came of the rate. */
  requestsPerSecond: number;
  failed: number;
  /** Times from when a request was due to the end of its answer, in µs. */
  p50Us: number;
  p99Us: number;
  /** By how much the generator sent requests later than they were due and had a connection, in µs: 99 of 100 by no more. */
  lateP99Us: number;
}

/** Connections, and for HTTP/2 streams on each: enough to keep one core of server busy, few enough that queues stay short. */
export const connections = 16;
export const streamsPerConnection = 8;

/** Which generators are used and where they come from. */
export const generatorNames = "wrk (HTTP/1.1) and h2load of nghttp2 (HTTP/2)";

/** Sends over HTTP/1.1 with wrk, one thread on one core, or on those of a list of taskset. */
export async function loadHttp1(core: number | string, seconds: number, request: LoadRequest): Promise<LoadResult> {
  return await withFile("request.lua", Buffer.from(luaScript(request)), async (path) => {
    const { stdout } = await run("taskset", [
      "-c",
      String(core),
      "wrk",
      "-t1",
      `-c${connections}`,
      `-d${seconds}s`,
      "-s",
      path,
      request.url,
    ]);
    const rate = /Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1];
    const failed = /Non-2xx or 3xx responses: (\d+)/.exec(stdout)?.[1];
    if (rate === undefined) throw new Error(`wrk said nothing of its rate:\n${stdout}`);
    return { requestsPerSecond: Number(rate), failed: Number(failed ?? 0) };
  });
}

/** Sends over HTTP/2 in cleartext with h2load, one thread on one core. */
export async function loadHttp2(core: number, seconds: number, request: LoadRequest): Promise<LoadResult> {
  return await withFile("body", Buffer.from(request.body ?? new Uint8Array()), async (path) => {
    const { stdout } = await run("taskset", [
      "-c",
      String(core),
      "h2load",
      "-t1",
      `-c${connections}`,
      `-m${streamsPerConnection}`,
      `-D${seconds}`,
      `--data=${path}`,
      ...Object.entries(request.headers).flatMap(([name, value]) => ["-H", `${name}: ${value}`]),
      request.url,
    ]);
    const rate = /finished in [^,]+, ([\d.]+) req\/s/.exec(stdout)?.[1];
    const [, failed = "0", errored = "0"] = /(\d+) failed, (\d+) errored/.exec(stdout) ?? [];
    if (rate === undefined) throw new Error(`h2load said nothing of its rate:\n${stdout}`);
    return { requestsPerSecond: Number(rate), failed: Number(failed) + Number(errored) };
  });
}

/** Connections over which a rate is kept: so many that a request hardly ever waits for one. */
export const pacedConnections = 64;

const pacedClient = join(import.meta.dirname, "paced-client.ts");

/** Collections by one thread: there is one core, on which several would wait for each other. A collection takes 0.05 ms so, and else 0.1 to 2. */
const pacedClientFlags = ["--single-threaded-gc"];

/**
 * Sends over HTTP/1.1 at a fixed rate, from one core. Not with h2load, whose `--rps` sends by a timer of each connection, all begun at once: with
 * 64 connections 64 requests come together and then none for as long as it takes to answer them, so that half of them wait for half of the rest.
 */
export async function loadPaced(
  core: number,
  seconds: number,
  request: LoadRequest,
  requestsPerSecond: number,
  arrivals: Arrivals,
): Promise<PacedResult> {
  const { port } = new URL(request.url);
  const args = [...pacedClientFlags, pacedClient, port, requestsPerSecond, seconds, arrivals, pacedConnections].map(String);
  const running = run("taskset", ["-c", String(core), process.execPath, ...args]);
  const bodies = request.bodies ?? [request.body ?? new Uint8Array()];
  running.child.stdin?.end(JSON.stringify(bodies.map((body) => requestBytes(request, body).toString("base64"))));
  return JSON.parse((await running).stdout) as PacedResult;
}

/** A request as it goes over the wire. */
function requestBytes({ url, headers }: LoadRequest, body: Uint8Array): Buffer {
  const { pathname, host } = new URL(url);
  const lines = Object.entries({ host, "content-length": body.length, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`POST ${pathname} HTTP/1.1\r\n${lines.join("")}\r\n`), body]);
}

function luaScript({ body, bodies, headers, lua }: LoadRequest): string {
  const luaText = (bytes: Uint8Array) => `"${[...bytes].map((byte) => `\\${String(byte).padStart(3, "0")}`).join("")}"`;
  const lines = Object.entries(headers).map(([name, value]) => `wrk.headers[${JSON.stringify(name)}] = ${JSON.stringify(value)}`);
  if (body !== undefined) lines.push('wrk.method = "POST"', `wrk.body = ${luaText(body)}`);
  if (bodies !== undefined) {
    lines.push(`local bodies, count = {${bodies.map(luaText).join(",")}}, 0`);
    lines.push("request = function() count = count % #bodies + 1; return wrk.format(nil, nil, nil, bodies[count]) end");
  }
  return `${lines.join("\n")}\n${lua?.() ?? ""}`;
}

async function withFile<T>(name: string, content: Buffer, use: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "petak-bench-"));
  try {
    const path = join(folder, name);
    await writeFile(path, content);
    return await use(path);
  } finally {
    await rm(folder, { recursive: true });
  }
}
