import { ConnectError } from "@connectrpc/connect";
import { fromConnectError, type PetakClient } from "@petak/client";
import type { AgentLogger } from "../logger.ts";
import type { AgentStore } from "../store/agent-store.ts";
import { isStorageError } from "../store/values.ts";
import type { After } from "../timer.ts";
import { traceOfReports } from "./call-trace.ts";
import { epochOf, noteRefusal } from "./epoch.ts";
import { backoffMs, createPause } from "./pause.ts";

/** The protocol's limit of reports in a call. */
const batchSize = 100;

/** Sends the outbox. */
export interface Flusher {
  /** Starts sending after the boot. @param acknowledgedSequence the number of the last report that the gateway has recorded */
  begin(acknowledgedSequence: number): void;
  /** Notifies that there may be new reports. Does not shorten the backoff after a failure. */
  wake(): void;
  /** Ends the present backoff, since the gateway can be reached again. */
  retryNow(): void;
  /** Resolves when every report so far is acknowledged. Rejects if the flusher stops first. */
  flushed(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Makes the sender of an outbox. It sends reports in order after the last acknowledged one; if the gateway misses reports, it resumes at the number that the
 * gateway names.
 */
export function createFlusher(options: {
  client: Pick<PetakClient["agents"], "reportEvents">;
  siteId: string;
  store: AgentStore;
  logger: AgentLogger;
  after: After;
  random: () => number;
  /** Called with whether the gateway was reached. */
  onContact: (isReached: boolean) => void;
  /** Called when the disk has not taken something. */
  onStorageFailure: (error: unknown) => void;
}): Flusher {
  const { client, siteId, store, logger, after, random, onContact } = options;
  const { outbox } = store;
  const work = createPause(after);
  const backoff = createPause(after);
  const abort = new AbortController();
  let waiters: { upTo: number; resolve: () => void; reject: (error: Error) => void }[] = [];
  /** Number of the last report that need not be sent. */
  let position = 0;
  /** The trace of the last call. */
  let traceId = "";
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    let failures = 0;
    while (!abort.signal.aborted) {
      try {
        // What the gateway lacks of those that are deleted it is told with the next batch.
        position = Math.max(position, outbox.deletedSequence());
        if (position >= outbox.lastSequence()) {
          await work.wait();
          continue;
        }
        await sendBatch();
        failures = 0;
      } catch (error) {
        if (abort.signal.aborted) return;
        failures += 1;
        recover(error);
        await backoff.wait(backoffMs(failures, random));
      }
    }
  }

  async function sendBatch(): Promise<void> {
    const events = outbox.after(position, batchSize);
    const deletedSequence = BigInt(outbox.deletedSequence());
    const trace = traceOfReports(events);
    traceId = trace.traceId;
    const options = { signal: abort.signal, headers: trace.headers };
    const response = await client.reportEvents({ siteId, events, deletedSequence, ...epochOf(store) }, options);
    onContact(true);
    if (response.keptApartSequence > 0n) {
      // They stay in the outbox, for when this agent goes on.
      position = Math.min(Number(response.keptApartSequence), position + events.length);
      return;
    }
    const acknowledged = Math.min(Number(response.acknowledgedSequence), position + events.length);
    if (acknowledged <= position) throw new Error(`the gateway acknowledged only report ${acknowledged} and none of those sent after it`);
    outbox.acknowledge(acknowledged);
    logger.info({ first: position + 1, last: acknowledged, traceId }, "reports delivered");
    position = acknowledged;
    settleWaiters();
  }

  function recover(error: unknown): void {
    const refusal = error instanceof ConnectError ? fromConnectError(error) : undefined;
    noteRefusal(store, refusal?.reason);
    // A response of the gateway, even a refusal, shows that it was reached. A failure of the disk says nothing of it.
    if (isStorageError(error)) options.onStorageFailure(error);
    else onContact(refusal !== undefined);
    if (refusal?.reason === "SEQUENCE_FORK") noteFork();
    const expected = Number(refusal?.metadata.expected);
    if (refusal?.reason === "SEQUENCE_GAP" && Number.isSafeInteger(expected) && expected > 0) position = expected - 1;
    logger.warn({ err: error, position, traceId }, "reports could not be delivered");
  }

  /** The gateway takes none of the reports then, and they stay in the outbox. On a full disk, where nothing opens, it is noted another time. */
  function noteFork(): void {
    try {
      store.saveQuarantine(true);
    } catch (error) {
      if (!isStorageError(error)) throw error;
    }
  }

  function settleWaiters(): void {
    const acknowledged = outbox.acknowledgedSequence();
    for (const { upTo, resolve } of waiters) if (upTo <= acknowledged) resolve();
    waiters = waiters.filter(({ upTo }) => upTo > acknowledged);
  }

  return {
    begin(acknowledgedSequence) {
      position = acknowledgedSequence;
      outbox.acknowledge(acknowledgedSequence);
      settleWaiters();
      running ??= run();
      // It rejects if the store is closed under it, and `stop` says so.
      running.catch(() => undefined);
      work.wake();
    },
    wake: work.wake,
    retryNow: backoff.end,
    flushed() {
      const upTo = outbox.lastSequence();
      if (upTo <= outbox.acknowledgedSequence()) return Promise.resolve();
      if (abort.signal.aborted) return Promise.reject(new Error("the agent was stopped before its reports were acknowledged"));
      return new Promise((resolve, reject) => waiters.push({ upTo, resolve, reject }));
    },
    async stop() {
      abort.abort();
      work.wake();
      backoff.end();
      await running;
      for (const { reject } of waiters) reject(new Error("the agent was stopped before its reports were acknowledged"));
      waiters = [];
    },
  };
}
