/** A time in which something is wrong, from the first failure until it has worked again for a while. */
export interface Spell {
  /** Whether it has begun and its end has not been told of. */
  readonly isOpen: boolean;
  /** Whether it failed when it was last looked at. */
  readonly isFailing: boolean;
  /** Takes a failure, which began at `sinceMs` where no spell is under way. Default: now. */
  fails(sinceMs?: number): void;
  /** Takes it that it works. */
  works(): void;
}

/** What a spell tells of itself, and when. */
export interface SpellOptions {
  /** The clock, in ms. */
  now: () => number;
  /** How long it must have failed before anything is told, in ms. What is over sooner is told of once, at its end. */
  tellAfterMs: number;
  /** How long it must have worked before it is over, in ms, so that what comes and goes is one spell and not many. */
  steadyMs: number;
  onBegun: (sinceMs: number) => void;
  /** Hears once in {@link remindMs} that it goes on. */
  onStill: (sinceMs: number) => void;
  /** @param isNews true: it was over before its beginning was told of. */
  onOver: (sinceMs: number, untilMs: number, isNews: boolean) => void;
}

/** How often somebody is reminded of what is still wrong, in ms: not to be overlooked in the log's last page, and no flood overnight. */
export const remindMs = 60_000;

/** Makes one that has not begun. */
export function createSpell({ now, tellAfterMs, steadyMs, onBegun, onStill, onOver }: SpellOptions): Spell {
  let sinceMs: number | undefined;
  /** Since when it has worked. */
  let worksSinceMs: number | undefined;
  let toldMs: number | undefined;

  return {
    get isOpen() {
      return sinceMs !== undefined;
    },
    get isFailing() {
      return sinceMs !== undefined && worksSinceMs === undefined;
    },
    fails(beganMs = now()) {
      const nowMs = now();
      sinceMs ??= beganMs;
      worksSinceMs = undefined;
      if (toldMs === undefined) {
        if (nowMs - sinceMs < tellAfterMs) return;
        onBegun(sinceMs);
      } else {
        if (nowMs - toldMs < remindMs) return;
        onStill(sinceMs);
      }
      toldMs = nowMs;
    },
    works() {
      if (sinceMs === undefined) return;
      worksSinceMs ??= now();
      if (now() - worksSinceMs < steadyMs) return;
      onOver(sinceMs, worksSinceMs, toldMs === undefined);
      sinceMs = undefined;
      worksSinceMs = undefined;
      toldMs = undefined;
    },
  };
}

/** How long something took, for people to read. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 1000 ? 2 : 1)} s`;
}
