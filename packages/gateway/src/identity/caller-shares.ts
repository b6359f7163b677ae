import { mayTake } from "../transport/limits/fair-share.ts";
import type { SharedUse } from "../transport/limits/shared-use.ts";

/** Limits concurrent work, for each caller and in total. */
export interface CallerShares extends SharedUse {
  /** The most that one caller may have, here and at other gateways. */
  readonly perCaller: number;
  /** Acquires a share. Returns a function that releases it and may be called repeatedly. Undefined: a limit is reached. */
  take(participantId: string): (() => void) | undefined;
}

/**
 * Creates shares. A participant may have as many as are left free, so that none takes all of them, and one at each gateway in any case.
 *
 * @param options most concurrent shares of each participant, and in total at this gateway, by default unlimited
 */
export function createCallerShares(options: { perCaller: number; total?: number }): CallerShares {
  const { perCaller, total = Number.POSITIVE_INFINITY } = options;
  const limits = { total, guaranteed: 1, max: perCaller };
  const taken = new Map<string, number>();
  let takenElsewhere: ReadonlyMap<string, number> = new Map();
  let all = 0;
  return {
    perCaller,
    here: () => taken,
    setElsewhere(use) {
      takenElsewhere = use;
    },
    usedBy: (participantId) => (taken.get(participantId) ?? 0) + (takenElsewhere.get(participantId) ?? 0),
    take(participantId) {
      const own = taken.get(participantId) ?? 0;
      if (!mayTake({ own, elsewhere: takenElsewhere.get(participantId) ?? 0, all }, limits)) return undefined;
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
