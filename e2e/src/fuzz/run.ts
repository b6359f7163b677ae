import { createHttp1Connection } from "../wire/http1-connection.ts";
import { createHttp2Connection } from "../wire/http2-connection.ts";
import type { RawAnswer } from "../wire/raw-answer.ts";
import { type FuzzRequest, renderHttp1, renderHttp2 } from "./fuzz-request.ts";
import { judge } from "./judge.ts";

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

/** How long an answer is waited for, in ms: so long that whoever is late is seen to be late. */
const patienceMs = 10_000;

type Send = (request: FuzzRequest) => Promise<RawAnswer>;

/** Sends requests from a source, some at once, and judges the answers. */
export async function run({ port, http, requests, concurrency, next }: RunOptions): Promise<RunResult> {
  const result: RunResult = { requests: 0, complaints: [], seen: new Map() };
  const closers: (() => void)[] = [];

  async function work(send: Send): Promise<void> {
    while (result.requests < requests && result.complaints.length < complaintsMax) {
      result.requests += 1;
      const request = next();
      const complaint = judge(request, await send(request), result.seen);
      if (complaint !== undefined) result.complaints.push(complaint);
    }
  }

  function overHttp1(): Send {
    const kept = createHttp1Connection(port);
    closers.push(kept.close);
    return async (request) => {
      const sending = { bytes: renderHttp1(request), timeoutMs: patienceMs, isEndless: request.isEndless };
      if (!request.isFramedByHand) return await kept.send(sending);
      // What frames its body wrongly may leave the rest of it in the connection.
      const own = createHttp1Connection(port);
      const answer = await own.send(sending);
      own.close();
      return answer;
    };
  }

  function overHttp2(): Send {
    const session = createHttp2Connection(port);
    closers.push(session.close);
    return (request) =>
      session.send({ headers: renderHttp2(request), body: request.body, timeoutMs: patienceMs, isEndless: request.isEndless });
  }

  const senders: Send[] = [];
  while (senders.length < concurrency) {
    // A connection of HTTP/2 carries four at a time, one of HTTP/1.1 one.
    const send = http === 1 ? overHttp1() : overHttp2();
    senders.push(...Array.from({ length: http === 1 ? 1 : 4 }, () => send));
  }
  await Promise.all(senders.slice(0, concurrency).map(work));
  for (const close of closers) close();
  return result;
}
