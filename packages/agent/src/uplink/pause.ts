import type { After } from "../timer.ts";

/** A wait that can be cut short. */
export interface Pause {
  /** Waits so many ms, or until {@link wake}. Without a time: until then. A wake that came before any wait ends the next one at once. */
  wait(delayMs?: number): Promise<void>;
  wake(): void;
  /** Ends a wait that is going on, and nothing else. */
  cut(): void;
}

/** Makes a wait for one waiter. */
export function createPause(after: After): Pause {
  let isWoken = false;
  let end: (() => void) | undefined;
  return {
    async wait(delayMs) {
      if (!isWoken) {
        await new Promise<void>((resolve) => {
          const cancel = delayMs === undefined ? undefined : after(delayMs, resolve);
          end = () => {
            cancel?.();
            resolve();
          };
        });
      }
      end = undefined;
      isWoken = false;
    },
    wake() {
      isWoken = true;
      end?.();
    },
    cut: () => end?.(),
  };
}
