/** Places that callers take for as long as they need them. */
export interface CallerShares {
  /** Takes a place: gives what gives it back, any number of times, or undefined where the caller or all together have as many as they may. */
  take(participantId: string): (() => void) | undefined;
}

/** Makes shares of which each participant may have `perCaller` at once, and all together `total`. */
export function createCallerShares({ perCaller, total = Number.POSITIVE_INFINITY }: { perCaller: number; total?: number }): CallerShares {
  const taken = new Map<string, number>();
  let all = 0;
  return {
    take(participantId) {
      const own = taken.get(participantId) ?? 0;
      if (own >= perCaller || all >= total) return undefined;
      taken.set(participantId, own + 1);
      all++;
      let isGivenBack = false;
      return () => {
        if (isGivenBack) return;
        isGivenBack = true;
        all--;
        const left = (taken.get(participantId) ?? 1) - 1;
        if (left === 0) taken.delete(participantId);
        else taken.set(participantId, left);
      };
    },
  };
}
