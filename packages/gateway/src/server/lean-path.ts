import type { AdapterPath } from "./adapter-path.ts";
import { answerHeadersOf } from "./answer-headers.ts";
import { DeadlineWatch } from "./deadline-watch.ts";
import type { LaneCalls } from "./lane/lane-calls.ts";
import { LeanCall, type LeanCallSurroundings } from "./lean-call.ts";
import type { PlanCall } from "./lean-plan.ts";
import { LeanReading, type ReadSoFar } from "./lean-reading.ts";
import type { StreamTransport } from "./lean-transport.ts";
import { requestIdFrom, requestIdHeader } from "./request-id.ts";

/** What the lean path needs. */
export interface LeanPathOptions extends LeanCallSurroundings {
  plan: PlanCall;
  adapterPath: AdapterPath;
}

/** The way of plain unary calls. */
export interface LeanPath {
  /** Takes a request where it is a plain unary call, and answers it. Says whether it has taken it. */
  take(transport: StreamTransport, requestId: string, startedMs?: number): boolean;
  /** The same for requests whose bodies are there, and are kept until it is known that they are plain. */
  readonly lane: LaneCalls;
}

/**
 * The way of plain unary calls, which nearly all are. It does what the library's handlers do, by the same steps, errors and limits,
 * without what a plain call has no need of: streams around one message, headers as objects, signals that nobody listens to.
 *
 * What turns out not to be plain while it is read (too long, several messages, no message of the type) goes the adapter's path with all
 * that was read of it, so that one place alone says what is wrong with a request.
 */
export function createLeanPath({ plan, adapterPath, ...surroundings }: LeanPathOptions): LeanPath {
  const { limits } = surroundings;
  const watch = new DeadlineWatch();
  return {
    take(transport, requestId, startedMs = performance.now()) {
      const planned = plan(transport.head);
      if (planned === undefined) return false;
      const call = new LeanCall({ plan: planned, head: transport.head, transport, requestId, startedMs }, surroundings);
      const handOver = (read: ReadSoFar): void => {
        const { request, response } = transport.general();
        const answerHeaders = answerHeadersOf(requestId, transport.head.headers.origin);
        for (const [name, value] of Object.entries(answerHeaders)) response.setHeader(name, value);
        adapterPath(planned.handler, request, response, requestId, { startedMs, ...read });
      };
      new LeanReading({ call, plan: planned, transport, limits, handOver }, watch);
      return true;
    },
    lane: {
      plan,
      begin(planned, head, transport, startedMs) {
        const requestId = requestIdFrom(head.headers[requestIdHeader]);
        return new LeanCall({ plan: planned, head, transport, requestId, startedMs }, surroundings);
      },
    },
  };
}
