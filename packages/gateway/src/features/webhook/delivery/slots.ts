/** Class of an attempt: to an endpoint that responds promptly, or to one that fails or is slow. */
export type SlotClass = "prompt" | "slow";

/** The right to make one attempt. */
export interface Slot {
  /** Exchanges a prompt slot for a slow one if one is free, because the attempt takes long. */
  slowDown(): void;
  /** Releases the slot. May be called repeatedly. */
  release(): void;
}

/** Limits concurrent attempts. */
export interface Slots {
  /** Resolves when a slot is free. Rejects if the signal aborts before. */
  take(slotClass: SlotClass, signal: AbortSignal): Promise<Slot>;
}

/** Fraction of the slots for endpoints that fail or are slow, so that they cannot take those of the others. */
const slowShare = 0.5;

/** Creates `total` slots, at least two. Within a class, slots are given in the order of the requests. */
export function createSlots(total: number): Slots {
  const slowSlots = Math.max(1, Math.floor(total * slowShare));
  const pools: Record<SlotClass, SlotPool> = { slow: createPool(slowSlots), prompt: createPool(Math.max(1, total - slowSlots)) };
  return {
    async take(slotClass, signal) {
      await pools[slotClass].take(signal);
      let held: SlotClass | undefined = slotClass;
      return {
        slowDown() {
          if (held !== "prompt" || !pools.slow.takeNow()) return;
          held = "slow";
          pools.prompt.release();
        },
        release() {
          if (held === undefined) return;
          pools[held].release();
          held = undefined;
        },
      };
    },
  };
}

interface SlotPool {
  take(signal: AbortSignal): Promise<void>;
  /** Takes a slot if one is free. */
  takeNow(): boolean;
  release(): void;
}

function createPool(slots: number): SlotPool {
  let free = slots;
  const waiting = new Set<() => void>();

  function takeNow(): boolean {
    if (free === 0) return false;
    free--;
    return true;
  }

  return {
    takeNow,
    release() {
      const [next] = waiting;
      if (next === undefined) free++;
      else next();
    },
    async take(signal) {
      signal.throwIfAborted();
      if (takeNow()) return;
      await new Promise<void>((resolve, reject) => {
        const onAbort = () => {
          waiting.delete(next);
          reject(signal.reason);
        };
        const next = () => {
          waiting.delete(next);
          signal.removeEventListener("abort", onAbort);
          resolve();
        };
        waiting.add(next);
        signal.addEventListener("abort", onAbort, { once: true });
      });
    },
  };
}
