/** Limits concurrent work, for each caller and in total. */
export interface CallerShares {
  /** Acquires a share. Returns a function that releases it and may be called repeatedly. Undefined: a limit is reached. */
  take(participantId: string): (() => void) | undefined;
}

/** Creates shares. @param options most concurrent shares of each participant, and in total, by default unlimited */
export function createCallerShares(options: { perCaller: number; total?: number }): CallerShares {
  const { perCaller, total = Number.POSITIVE_INFINITY } = options;
  const taken = new Map<string, number>();
  let all = 0;
  return {
    take(participantId) {
      const own = taken.get(participantId) ?? 0;
      if (own >= perCaller || all >= total) return undefined;
      taken.set(participantId, own + 1);
      all++;
      let isReleased = false;
      return () => {
        if (isReleased) return;
        isReleased = true;
        all--;
        const left = (taken.get(participantId) ?? 1) - 1;
        if (left === 0) taken.delete(participantId);
        else taken.set(participantId, left);
      };
    },
  };
}
