import { Code, ConnectError } from "@connectrpc/connect";
import type { PetakClient } from "@petak/client";
import type { Command } from "@petak/protocol";
import type { AgentLogger } from "../logger.ts";
import type { AgentStore } from "../store/agent-store.ts";
import { type After, afterByTimer } from "../timer.ts";
import { epochOf } from "./epoch.ts";
import { backoffMs, createPause } from "./pause.ts";

/** Holds the stream of commands open. */
export interface CommandWatcher {
  /** Starts to connect; later calls do nothing. */
  start(): void;
  /** Ends the present backoff, since the gateway can be reached again. */
  retryNow(): void;
  stop(): Promise<void>;
}

/** How long a stream may be silent, in ms: three heartbeats of the gateway. */
const silentMs = 45_000;

/** Until a gateway is asked again that has no such stream, in ms. */
const unsupportedMs = 600_000;

/** Makes the watcher. While there is no stream, the agent gets its commands by Sync. */
export function createCommandWatcher(options: {
  client: Pick<PetakClient["agents"], "watchCommands">;
  siteId: string;
  store: Pick<AgentStore, "epoch">;
  logger: AgentLogger;
  after: After;
  /** Runs something after a time of silence, in real time as the gateway's heartbeats. Default: the process's timers. */
  afterSilence?: After;
  random: () => number;
  onCommands: (commands: readonly Command[]) => void;
  /** Called when something has changed at the gateway, and when a stream has begun: changes may have been missed. */
  onNudge: () => void;
}): CommandWatcher {
  const { client, siteId, store, logger, after, afterSilence = afterByTimer, random, onCommands, onNudge } = options;
  const stopping = new AbortController();
  const backoff = createPause(after);
  let running: Promise<void> | undefined;
  let failures = 0;

  /** Reads one stream until it ends. Rejects with the reason, and if it has been silent for too long. */
  async function watch(): Promise<void> {
    const silent = new AbortController();
    let cancel = afterSilence(silentMs, () => silent.abort());
    try {
      const signal = AbortSignal.any([stopping.signal, silent.signal]);
      for await (const { commands, syncNow } of client.watchCommands({ siteId, ...epochOf(store) }, { signal })) {
        cancel();
        cancel = afterSilence(silentMs, () => silent.abort());
        if (failures > 0) logger.info({ siteId }, "commands are received again");
        failures = 0;
        if (commands.length > 0) onCommands(commands);
        if (syncNow) onNudge();
      }
    } finally {
      cancel();
    }
    throw new Error("the gateway ended the stream of commands");
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await watch();
      } catch (error) {
        if (stopping.signal.aborted) return;
        failures += 1;
        const isUnsupported = ConnectError.from(error).code === Code.Unimplemented;
        const delayMs = isUnsupported ? unsupportedMs : backoffMs(failures, random);
        // Each lost connection is said by Sync already.
        if (failures === 1) logger.info({ err: error, delayMs }, "no stream of commands; the agent gets them by Sync");
        await backoff.wait(delayMs);
      }
    }
  }

  return {
    start() {
      running ??= run();
    },
    retryNow: backoff.end,
    async stop() {
      stopping.abort();
      backoff.wake();
      await running;
    },
  };
}
