import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A request that a load generator sends over and over. */
export interface LoadRequest {
  url: string;
  /** `GET` where there is no body. */
  body?: Uint8Array;
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
  requestsPerSecond: number;
  failed: number;
  /** Times from the sending of a request to the end of its answer, in µs, in ascending order. */
  latenciesUs: number[];
}

/** Connections, and for HTTP/2 streams on each: enough to keep one core of server busy, few enough that queues stay short. */
export const connections = 16;
export const streamsPerConnection = 8;

/** Which generators are used and where they come from. */
export const generatorNames = "wrk (HTTP/1.1) and h2load of nghttp2 (HTTP/2)";

/** Sends over HTTP/1.1 with wrk, one thread on one core. */
export async function loadHttp1(core: number, seconds: number, request: LoadRequest): Promise<LoadResult> {
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

/** Connections over which a rate is kept: so many that a request hardly ever waits for its connection and not for the server. */
export const pacedConnections = 64;

/** Sends over HTTP/1.1 with h2load at a fixed rate, one thread on one core. */
export async function loadPaced(core: number, seconds: number, request: LoadRequest, requestsPerSecond: number): Promise<PacedResult> {
  return await withFile("body", Buffer.from(request.body ?? new Uint8Array()), async (path) => {
    const log = `${path}.log`;
    await run("taskset", [
      "-c",
      String(core),
      "h2load",
      "--h1",
      "-t1",
      `-c${pacedConnections}`,
      `--rps=${(requestsPerSecond / pacedConnections).toFixed(3)}`,
      `-D${seconds}`,
      `--data=${path}`,
      `--log-file=${log}`,
      ...Object.entries(request.headers).flatMap(([name, value]) => ["-H", `${name}: ${value}`]),
      request.url,
    ]);
    // Start, status and duration of each request, by tabs.
    const rows = (await readFile(log, "utf8")).split("\n").filter((line) => line !== "");
    const answers = rows.map((line) => line.split("\t").map(Number));
    return {
      requestsPerSecond: answers.length / seconds,
      failed: answers.filter(([, status]) => status !== 200).length,
      latenciesUs: answers.map(([, , durationUs = 0]) => durationUs).sort((a, b) => a - b),
    };
  });
}

function luaScript({ body, headers, lua }: LoadRequest): string {
  const luaText = (bytes: Uint8Array) => `"${[...bytes].map((byte) => `\\${String(byte).padStart(3, "0")}`).join("")}"`;
  const lines = Object.entries(headers).map(([name, value]) => `wrk.headers[${JSON.stringify(name)}] = ${JSON.stringify(value)}`);
  if (body !== undefined) lines.push('wrk.method = "POST"', `wrk.body = ${luaText(body)}`);
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
