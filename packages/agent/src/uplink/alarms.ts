import { type PetakClient, reasonOf } from "@petak/client";
import { type ConditionKind, catalogue } from "@petak/protocol";
import type { AgentLogger } from "../logger.ts";
import type { After } from "../timer.ts";
import { newTrace } from "./call-trace.ts";
import { backoffMs, createPause } from "./pause.ts";

/** Tells the gateway at once what is wrong with the device and cannot be reported, since the disk takes no reports. */
export interface Alarms {
  /** Something is wrong. It is sent until the gateway has taken it, or {@link over}; once an hour at most. */
  raise(kind: ConditionKind): void;
  /** It is not wrong any more. */
  over(kind: ConditionKind): void;
  stop(): Promise<void>;
}

/** Least time between two alarms of one kind, in ms. */
const sentEveryMs = 3_600_000;

/** Makes the sender of alarms. @param elapsedMs a clock that only goes on, in ms since any instant */
export function createAlarms(options: {
  client: Pick<PetakClient["agents"], "reportEvents">;
  siteId: string;
  logger: AgentLogger;
  after: After;
  elapsedMs: () => number;
  random: () => number;
}): Alarms {
  const { client, siteId, logger, after, elapsedMs, random } = options;
  const abort = new AbortController();
  const pause = createPause(after);
  const unsent = new Set<ConditionKind>();
  const sentAtMs = new Map<ConditionKind, number>();
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    for (let failures = 0; unsent.size > 0 && !abort.signal.aborted; ) {
      const alarms = [...unsent];
      const { traceId, headers } = newTrace();
      try {
        await client.reportEvents({ siteId, alarms }, { signal: abort.signal, headers });
        sent(alarms);
        failures = 0;
      } catch (error) {
        if (abort.signal.aborted) return;
        logger.warn({ err: error, traceId }, "the gateway could not be told what is wrong with this device");
        const reason = reasonOf(error);
        // An earlier gateway takes none, and one that another device has taken over takes none of this one.
        if (reason !== undefined && catalogue[reason].retry === "no") sent(alarms);
        else await pause.wait(backoffMs(++failures, random));
      }
    }
  }

  function sent(kinds: readonly ConditionKind[]): void {
    for (const kind of kinds) {
      unsent.delete(kind);
      sentAtMs.set(kind, elapsedMs());
    }
  }

  return {
    raise(kind) {
      const before = sentAtMs.get(kind);
      if (abort.signal.aborted || (before !== undefined && elapsedMs() - before < sentEveryMs)) return;
      unsent.add(kind);
      running ??= run().finally(() => {
        running = undefined;
      });
    },
    over(kind) {
      unsent.delete(kind);
    },
    async stop() {
      abort.abort();
      pause.wake();
      await running;
    },
  };
}
