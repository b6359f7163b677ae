/** Which of the places an attempt takes: those for endpoints that answer promptly, or those for the rest. */
export type Lane = "prompt" | "slow";

/** A place that somebody has. */
export interface Place {
  /** Goes over to the slow ones, where there is room among them: the attempt takes long. */
  slowDown(): void;
  /** Gives it back. May be called any number of times. */
  giveBack(): void;
}

/** Places for attempts that are under way at once. */
export interface Slots {
  /** Resolves when there is a place. Rejects when the signal aborts before. */
  take(lane: Lane, signal: AbortSignal): Promise<Place>;
}

/** Of all places, the part that endpoints may have that fail or take long. However many they are, the others have the rest. */
const slowShare = 0.5;

/** Makes `total` places, at least two. Within a lane who waited longest is next. */
export function createSlots(total: number): Slots {
  const slowPlaces = Math.max(1, Math.floor(total * slowShare));
  const lanes: Record<Lane, LanePlaces> = { slow: createLane(slowPlaces), prompt: createLane(Math.max(1, total - slowPlaces)) };
  return {
    async take(lane, signal) {
      await lanes[lane].take(signal);
      let held: Lane | undefined = lane;
      return {
        slowDown() {
          if (held !== "prompt" || !lanes.slow.takeNow()) return;
          held = "slow";
          lanes.prompt.giveBack();
        },
        giveBack() {
          if (held === undefined) return;
          lanes[held].giveBack();
          held = undefined;
        },
      };
    },
  };
}

interface LanePlaces {
  take(signal: AbortSignal): Promise<void>;
  /** Takes a place if there is one and nobody waits for it. */
  takeNow(): boolean;
  giveBack(): void;
}

function createLane(places: number): LanePlaces {
  let free = places;
  const waiting = new Set<() => void>();

  function takeNow(): boolean {
    if (free === 0) return false;
    free--;
    return true;
  }

  return {
    takeNow,
    giveBack() {
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
