import { type Sweep, startSweep } from "../sweep/sweep.ts";
import type { ConnectedStore } from "./connect-store.ts";
import type { GatewayOptions } from "./gateway-options.ts";
import type { OpenFeeds } from "./open-feeds.ts";
import type { OpenRecords } from "./open-records.ts";
import { followStoreClock } from "./store-clock.ts";

/** Starts the sweep and the archiver, which the stack stops. Returns the sweep. */
export function startBackgroundTasks(
  { redis, watch }: ConnectedStore,
  { stored, archive, termsBook }: OpenRecords,
  { feeds }: OpenFeeds,
  options: GatewayOptions,
  stack: AsyncDisposableStack,
): Sweep {
  const { logger, now = Date.now } = options;
  const followsStoreClock = options.followsStoreClock ?? options.now === undefined;
  const storeClock = followsStoreClock ? followStoreClock({ redis, now, logger }) : undefined;
  stack.defer(() => storeClock?.stop());
  const sweep = startSweep({
    records: stored,
    release: archive.release,
    termsBook,
    now: storeClock?.now ?? now,
    intervalMs: options.sweepIntervalMs,
    onError: (error) => watch.logFailure("the sweep", error),
  });
  stack.defer(() => sweep.stop());
  stack.defer(archive.start(feeds.build));
  return sweep;
}
