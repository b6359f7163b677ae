import type { FuzzRequest } from "./fuzz-request.ts";
import { judge } from "./judge.ts";
import { connect, type Send } from "./send.ts";

/** One stream of requests. */
export interface RunOptions {
  port: number;
  http: 1 | 2;
  /** How many are sent. */
  requests: number;
  /** How many of them are under way at once. */
  concurrency: number;
  next(): FuzzRequest;
}

/** What came of it. */
export interface RunResult {
  requests: number;
  /** What was wrong with answers; none is what there should be. After a few the run ends. */
  complaints: string[];
  /** How often each reason, or what else ended a request, was seen. */
  seen: Map<string, number>;
}

/** The first ones say enough. */
const complaintsMax = 5;

/** Sends requests from a source, some at once, and judges the answers. */
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

  // A connection of HTTP/2 carries four at a time, one of HTTP/1.1 one.
  const carries = http === 1 ? 1 : 4;
  const connections = Array.from({ length: Math.ceil(concurrency / carries) }, () => connect(port, http));
  const senders = connections.flatMap(({ send }) => Array.from({ length: carries }, () => send));
  await Promise.all(senders.slice(0, concurrency).map(work));
  for (const { close } of connections) close();
  return result;
}
