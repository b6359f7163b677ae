import { create } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { ReportEventsRequestSchema } from "@petak/protocol";
import type { AgentCalls } from "./gate.ts";
import type { SandboxClock } from "./sandbox-site.ts";

/**
 * The calls of a terminal, each of whose reports arrives a fixed time after what it reports. What others do at the site changes nothing of that, and neither does a restart.
 *
 * @param delayMs how long, in ms by the clock
 */
export function delayReports({ boot, sync, reportEvents }: AgentCalls, delayMs: number, clock: SandboxClock): AgentCalls {
  return {
    boot,
    sync,
    async reportEvents(request, options) {
      const whole = create(ReportEventsRequestSchema, request);
      const due = whole.events.map(({ occurredAt }) => (occurredAt === undefined ? 0 : timestampMs(occurredAt) + delayMs));
      const [firstMs = 0] = due;
      await untilTime(firstMs, clock, options?.signal);
      // The first goes in any case: a timer may be a millisecond early.
      const later = due.findIndex((ms, index) => index > 0 && ms > clock.now());
      return await reportEvents(later < 0 ? whole : { ...whole, events: whole.events.slice(0, later) }, options);
    },
  };
}

/** Resolves at a time in ms since 1970, and rejects if it is aborted before. */
async function untilTime(timeMs: number, { now, after }: SandboxClock, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  const leftMs = timeMs - now();
  if (leftMs <= 0) return;
  const waited = Promise.withResolvers<void>();
  const cancel = after(leftMs, waited.resolve);
  const onAbort = () => waited.reject(signal?.reason);
  signal?.addEventListener("abort", onAbort);
  try {
    await waited.promise;
  } finally {
    cancel();
    signal?.removeEventListener("abort", onAbort);
  }
}
