import { createCommands, createParticipantEvents } from "@petak/records";
import { timeOutCommands } from "../features/command/end-command.ts";
import { type Sweep, startSweep } from "../sweep/sweep.ts";
import type { ConnectedStore } from "./connect-store.ts";
import type { GatewayOptions } from "./gateway-options.ts";
import type { OpenFeeds } from "./open-feeds.ts";
import type { OpenRecords } from "./open-records.ts";
import { followStoreClock } from "./store-clock.ts";

/** Starts the sweep and the archiver, which the stack stops. Returns the sweep. */
export function startBackgroundTasks(
  store: ConnectedStore,
  { stored, archive, termsBook }: OpenRecords,
  { feeds }: OpenFeeds,
  options: GatewayOptions,
  stack: AsyncDisposableStack,
): Sweep {
  const { redis, watch } = store;
  const { logger, metrics, now = Date.now } = options;
  const followsStoreClock = options.followsStoreClock ?? options.now === undefined;
  const { writer, keys } = store;
  const storeClock = followsStoreClock ? followStoreClock({ redis, now, logger }) : undefined;
  stack.defer(() => storeClock?.stop());
  const ending = {
    commands: createCommands(writer, keys),
    participantEvents: createParticipantEvents(writer, keys, stored.events),
    now: storeClock?.now ?? now,
  };
  metrics.sweepCompleted.setToCurrentTime();
  const sweep = startSweep({
    records: stored,
    release: archive.release,
    endOthers: () => timeOutCommands(ending),
    termsBook,
    now: storeClock?.now ?? now,
    intervalMs: options.sweepIntervalMs,
    onError: (error) => watch.logFailure("the sweep", error),
    onRound: () => metrics.sweepCompleted.setToCurrentTime(),
  });
  stack.defer(() => sweep.stop());
  stack.defer(archive.start(feeds.build));
  return sweep;
}
