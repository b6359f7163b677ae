import type { FuzzRequest } from "./fuzz-request.ts";
import { judge } from "./judge.ts";
import { connect, type Send } from "./send.ts";

/** One run of requests. */
export interface RunOptions {
  port: number;
  http: 1 | 2;
  /** The number of requests to send. */
  requests: number;
  /** The number of concurrent requests. */
  concurrency: number;
  next(): FuzzRequest;
}

/** The outcome of a run. */
export interface RunResult {
  requests: number;
  /** What was wrong with responses; empty if nothing was. The run ends after a few. */
  complaints: string[];
  /** How often each reason or other outcome of a request was seen. */
  seen: Map<string, number>;
}

/** The first few complaints suffice. */
const complaintsMax = 5;

/** Sends requests from a source concurrently and judges the responses. */
export async function run({ port, http, requests, concurrency, next }: RunOptions): Promise<RunResult> {
  const result: RunResult = { requests: 0, complaints: [], seen: new Map() };

  async function work(send: Send): Promise<void> {
    while (result.requests < requests && result.complaints.length < complaintsMax) {
      result.requests += 1;
      const request = next();
      const complaint = judge(request, await send(request), result.seen);
      if (complaint !== undefined) result.complaints.push(complaint);
    }
  }

  // A connection carries four concurrent requests over HTTP/2, and one over HTTP/1.1.
  const carries = http === 1 ? 1 : 4;
  const connections = Array.from({ length: Math.ceil(concurrency / carries) }, () => connect(port, http));
  const senders = connections.flatMap(({ send }) => Array.from({ length: carries }, () => send));
  await Promise.all(senders.slice(0, concurrency).map(work));
  for (const { close } of connections) close();
  return result;
}
