import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type Client, Code, ConnectError } from "@connectrpc/connect";
import type { TestClockService } from "@petak/protocol/test-clock";
import type { After } from "./timer.ts";

/** The clock of a gateway with a test clock, for the agents of a test network. One follower serves any number of agents. */
export interface TestClockFollower {
  /** The gateway's time as last read, plus the time that has passed since, in ms since 1970. Never goes back. */
  readonly now: () => number;
  /** Timers by this clock: when it jumps ahead, the timers that became due run at once. */
  readonly after: After;
  /**
   * Reads the gateway's clock now, and runs the timers that became due. A simulator calls it after every `MoveTestClock`. Throws a ConnectError where the
   * gateway does not answer.
   */
  update(): Promise<void>;
  /** Ends the periodic reading. */
  stop(): void;
}

export interface FollowTestClockOptions {
  /** Pause between two readings of the gateway's clock, in ms. Default 1000. `Infinity`: only {@link TestClockFollower.update} reads it. */
  intervalMs?: number;
  /** The device's clock, in ms since 1970. Default `Date.now`. */
  systemNow?: () => number;
}

interface Timer {
  readonly dueMs: number;
  readonly run: () => void;
  handle: NodeJS.Timeout | undefined;
}

/** A gateway has no test clock. */
export class NoTestClockError extends Error {
  override readonly name = "NoTestClockError";
}

/**
 * Follows the clock of a gateway that was started with `--test-clock`. While the gateway does not answer, the clock goes on by itself.
 *
 * @param client calls the gateway with a test key; such a gateway refuses live keys
 * @throws {NoTestClockError} where the gateway has no test clock; a ConnectError where it does not answer or refuses the key.
 */
export async function followTestClock(
  client: Pick<Client<typeof TestClockService>, "getTestClock">,
  { intervalMs = 1000, systemNow = Date.now }: FollowTestClockOptions = {},
): Promise<TestClockFollower> {
  const timers = new Set<Timer>();
  let aheadMs = Number.NEGATIVE_INFINITY;
  const now = () => systemNow() + aheadMs;

  function run(timer: Timer): void {
    clearTimeout(timer.handle);
    // A timer that ran before it may have cancelled it.
    if (timers.delete(timer)) timer.run();
  }

  async function update(): Promise<void> {
    const { time } = await client.getTestClock({});
    if (time === undefined) throw new Error("the gateway returned no time");
    const previousMs = aheadMs;
    // The time was read before the response arrived, so each reading is a lower bound of the lead; the largest is the most exact.
    aheadMs = Math.max(aheadMs, timestampMs(time) - systemNow());
    if (aheadMs === previousMs) return;
    const due = [...timers].filter(({ dueMs }) => dueMs <= now()).toSorted((one, other) => one.dueMs - other.dueMs);
    for (const timer of due) run(timer);
    for (const timer of timers) arm(timer);
  }

  /** Starts the system's timer for what is left until a timer is due. */
  function arm(timer: Timer): void {
    clearTimeout(timer.handle);
    timer.handle = setTimeout(() => run(timer), Math.max(0, timer.dueMs - now()));
  }

  await update().catch((error: unknown) => {
    if (ConnectError.from(error).code !== Code.Unimplemented) throw error;
    throw new NoTestClockError("the gateway has no test clock; start it with: petak gateway --test-clock", { cause: error });
  });
  // A reading that fails is repeated at the next interval.
  const reading = Number.isFinite(intervalMs) ? setInterval(() => void update().catch(() => undefined), intervalMs) : undefined;
  reading?.unref();
  return {
    now,
    after(delayMs, task) {
      const timer: Timer = { dueMs: now() + delayMs, run: task, handle: undefined };
      timers.add(timer);
      arm(timer);
      return () => {
        timers.delete(timer);
        clearTimeout(timer.handle);
      };
    },
    update,
    stop: () => clearInterval(reading),
  };
}
