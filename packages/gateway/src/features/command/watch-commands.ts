import { create } from "@bufbuild/protobuf";
import { type Event, EventType, PetakError, type WatchCommandsResponse, WatchCommandsResponseSchema } from "@petak/protocol";
import type { Commands } from "@petak/records";
import type { AgentCaller } from "../../identity/index.ts";
import { forDevice } from "./command-view.ts";
import type { SiteSignals } from "./site-signals.ts";

export interface WatchCommandsDependencies {
  commands: Commands;
  /** What ends the open stream of each key at this gateway. */
  commandStreams: Map<string, AbortController>;
  signals: SiteSignals;
  now: () => number;
  /** Aborts when the gateway begins to stop. */
  stopping: AbortSignal;
  /** Rejects if the caller's key was revoked during the call, which may last longer than the key. */
  stillValid: (caller: AgentCaller) => Promise<void> | undefined;
}

/** Interval of messages without content, in ms. Proxies close streams that are silent for longer; agents give up after three. */
const heartbeatMs = 15_000;

/** Shortest time between two nudges, in ms: many changes at once are one. */
const nudgePauseMs = 1000;

/**
 * Streams the commands for an agent's site, and nudges for what else was recorded about it. A key has one stream at a gateway, the latest: a device that lost its
 * link opens another long before the gateway notices that the first is dead.
 *
 * @throws {PetakError} COMMAND_STREAM_REPLACED; SHUTTING_DOWN when the gateway stops.
 */
export async function* watchCommands(
  { commands, commandStreams, signals, now, stopping, stillValid }: WatchCommandsDependencies,
  caller: AgentCaller,
  { signal }: { readonly signal: AbortSignal },
): AsyncGenerator<WatchCommandsResponse, void> {
  const { siteId, keyId } = caller;
  commandStreams.get(keyId)?.abort();
  const replaced = new AbortController();
  commandStreams.set(keyId, replaced);
  const news = createNews([signal, stopping, replaced.signal]);
  const listening = signals.listen(caller, siteId, (event) => {
    if (event === undefined || event.type === EventType.COMMAND_SENT) news.add("commands");
    if (event === undefined || isForAgent(event, keyId)) news.add("nudge");
  });
  // The signal aborts at the end of every call. A generator that is no longer read would not reach its `finally`.
  signal.addEventListener("abort", end, { once: true });
  function end(): void {
    listening.stop();
    if (commandStreams.get(keyId) === replaced) commandStreams.delete(keyId);
  }
  try {
    await listening.ready;
    const sent = new Set<string>();
    for (let [hasCommands, isNudged] = [true, false]; ; ) {
      if (stopping.aborted) throw new PetakError("SHUTTING_DOWN", "the gateway is shutting down; connect again", { retryAfterMs: 1000 });
      if (replaced.signal.aborted) throw streamReplaced(keyId);
      if (signal.aborted) return;
      await stillValid(caller);
      const found = hasCommands ? await commands.openAt(siteId, now()) : [];
      const unsent = found.filter(({ commandId }) => !sent.has(commandId));
      yield create(WatchCommandsResponseSchema, { commands: unsent.map(forDevice), syncNow: isNudged });
      for (const { commandId } of unsent) sent.add(commandId);
      [hasCommands, isNudged] = await news.wait(heartbeatMs);
    }
  } finally {
    end();
  }
}

/** Whether an agent has something to fetch because of an event: not what it reported itself, and no command, which it gets by itself. */
function isForAgent({ type, proof }: Event, keyId: string): boolean {
  return type !== EventType.COMMAND_SENT && type !== EventType.COMMAND_ENDED && proof?.agentKeyId !== keyId;
}

/** What came since the last wait. */
function createNews(ends: readonly AbortSignal[]) {
  const pending = new Set<"commands" | "nudge">();
  let nudgedAtMs = Number.NEGATIVE_INFINITY;
  let wake: (() => void) | undefined;
  for (const one of ends) one.addEventListener("abort", () => wake?.(), { once: true });
  const isDue = () => pending.has("commands") || (pending.has("nudge") && performance.now() >= nudgedAtMs + nudgePauseMs);
  return {
    add(kind: "commands" | "nudge"): void {
      pending.add(kind);
      wake?.();
    },
    /** Waits for news, an end, or the time. Returns whether there are commands, and whether there is a nudge. */
    async wait(timeoutMs: number): Promise<[boolean, boolean]> {
      const untilMs = performance.now() + timeoutMs;
      while (!isDue() && performance.now() < untilMs && !ends.some(({ aborted }) => aborted)) {
        const nextMs = pending.has("nudge") ? Math.min(untilMs, nudgedAtMs + nudgePauseMs) : untilMs;
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, Math.max(1, nextMs - performance.now()));
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      wake = undefined;
      const [hasCommands, isNudged] = [pending.has("commands"), pending.has("nudge") && performance.now() >= nudgedAtMs + nudgePauseMs];
      pending.delete("commands");
      if (isNudged) {
        pending.delete("nudge");
        nudgedAtMs = performance.now();
      }
      return [hasCommands, isNudged];
    },
  };
}

function streamReplaced(keyId: string): PetakError {
  return new PetakError("COMMAND_STREAM_REPLACED", `${keyId} has opened another WatchCommands stream at this gateway`, {
    metadata: { key_id: keyId },
  });
}
