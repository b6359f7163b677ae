import { createHttp1Connection } from "../wire/http1-connection.ts";
import { createHttp2Connection } from "../wire/http2-connection.ts";
import type { RawAnswer } from "../wire/raw-answer.ts";
import { type FuzzRequest, renderHttp1, renderHttp2 } from "./fuzz-request.ts";

/** Sends one request and waits for its response. */
export type Send = (request: FuzzRequest) => Promise<RawAnswer>;

/** How long to wait for a response, in ms: long enough to measure how late a late one is. */
const patienceMs = 60_000;

/** Opens a connection for fuzz requests. */
export function connect(port: number, http: 1 | 2): { send: Send; close(): void } {
  if (http === 2) {
    const session = createHttp2Connection(port);
    return {
      send: (request) =>
        session.send({ headers: renderHttp2(request), body: request.body, timeoutMs: patienceMs, isEndless: request.isEndless }),
      close: session.close,
    };
  }
  const kept = createHttp1Connection(port);
  return {
    async send(request) {
      const sending = { bytes: renderHttp1(request), timeoutMs: patienceMs, isEndless: request.isEndless };
      if (!request.isFramedByHand) return await kept.send(sending);
      // A wrongly framed body may leave bytes in the connection.
      const own = createHttp1Connection(port);
      const answer = await own.send(sending);
      own.close();
      return answer;
    },
    close: kept.close,
  };
}
