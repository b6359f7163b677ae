import type { After } from "../timer.ts";

/** An interruptible wait. */
export interface Pause {
  /** Waits for a time in ms, or until {@link wake}; without a time, until {@link wake}. A wake without a wait ends the next wait at once. */
  wait(delayMs?: number): Promise<void>;
  wake(): void;
  /** Ends the present wait, if any; later waits are unaffected. */
  end(): void;
}

/** Makes a wait for one waiter. */
export function createPause(after: After): Pause {
  let isWoken = false;
  let endWait: (() => void) | undefined;
  return {
    async wait(delayMs) {
      if (!isWoken) {
        await new Promise<void>((resolve) => {
          const cancel = delayMs === undefined ? undefined : after(delayMs, resolve);
          endWait = () => {
            cancel?.();
            resolve();
          };
        });
      }
      endWait = undefined;
      isWoken = false;
    },
    wake() {
      isWoken = true;
      endWait?.();
    },
    end: () => endWait?.(),
  };
}

/** The longest backoff, in ms. */
const backoffMaxMs = 60_000;

/** The backoff after a number of failures in a row, in ms: 1 s, doubled each time up to a minute, with jitter so that agents do not retry together. */
export function backoffMs(failures: number, random: () => number): number {
  return Math.min(backoffMaxMs, 1000 * 2 ** Math.min(failures - 1, 10)) * (0.5 + random() / 2);
}
