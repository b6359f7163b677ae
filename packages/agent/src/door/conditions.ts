import type { ConditionKind } from "@petak/protocol";
import type { SiteClock } from "../clock.ts";
import type { AgentStore } from "../store/agent-store.ts";
import type { CountedCondition, StoredCondition } from "../store/condition-records.ts";
import { isStorageError } from "../store/values.ts";
import type { Reporter } from "./reporter.ts";

/** Something that was wrong with the device. Times in ms by the site's clock. */
export interface NotedCondition {
  readonly kind: ConditionKind;
  /** When it began. Default: now. */
  readonly sinceMs?: number;
  /** CLOCK_CORRECTED: how far the clock was ahead, in ms. */
  readonly clockAheadMs?: number;
  /** STORE_NEW: the parcels that were taken over. */
  readonly parcels?: number;
}

/** Reports what was wrong with the device. */
export interface Conditions {
  /** Notes something that is over now, or has come about. It is told at once, or together with others of its kind. Never fails: what the disk does not take is kept in memory. */
  note(condition: NotedCondition): void;
  /** Reports what is due and could not be reported at its time. */
  tell(): void;
}

/** Least time between two reports of one kind, in ms: a clock or disk that fails and recovers all night makes one an hour. */
export const toldEveryMs = 3_600_000;

/** Makes them. Gateways that do not chain reports do not know conditions either: until the agent has another one, what happened is counted. */
export function createConditions(options: {
  store: Pick<AgentStore, "conditions" | "transaction" | "outbox">;
  clock: Pick<SiteClock, "nowMs">;
  reporter: Pick<Reporter, "condition">;
  /** Called after reports were written. */
  onReport: () => void;
}): Conditions {
  const { store, clock, reporter, onReport } = options;
  /** What is not on disk. */
  const noted = new Map<ConditionKind, CountedCondition>();

  function write(nowMs: number): number {
    const stored = new Map<ConditionKind, StoredCondition>(store.conditions.all().map((one) => [one.kind, one]));
    for (const [kind, condition] of noted) {
      const before = stored.get(kind);
      const merged = { ...together(before, condition), toldAtMs: before?.toldAtMs ?? 0 };
      stored.set(kind, merged);
      store.conditions.save(merged);
    }
    const due = store.outbox.isChained() ? [...stored.values()].filter((one) => isDue(one, nowMs)) : [];
    for (const condition of due) {
      reporter.condition(condition);
      store.conditions.save({ ...condition, count: 0, clockAheadMs: 0, parcels: 0, toldAtMs: nowMs });
    }
    return due.length;
  }

  function tell(): void {
    try {
      const nowMs = clock.nowMs();
      if (noted.size === 0 && !store.conditions.all().some((one) => isDue(one, nowMs))) return;
      const told = store.transaction(() => write(nowMs));
      noted.clear();
      if (told > 0) onReport();
    } catch (error) {
      if (!isStorageError(error)) throw error;
    }
  }

  return {
    note({ kind, sinceMs, clockAheadMs = 0, parcels = 0 }) {
      const untilMs = clock.nowMs();
      noted.set(kind, together(noted.get(kind), { kind, count: 1, sinceMs: sinceMs ?? untilMs, untilMs, clockAheadMs, parcels }));
      tell();
    },
    tell,
  };
}

/** Also if the clock was far ahead when it was told last. */
function isDue({ count, toldAtMs }: StoredCondition, nowMs: number): boolean {
  return count > 0 && (nowMs >= toldAtMs + toldEveryMs || nowMs < toldAtMs);
}

function together(before: CountedCondition | undefined, next: CountedCondition): CountedCondition {
  if (before === undefined || before.count === 0) return next;
  return {
    kind: next.kind,
    count: Math.min(2 ** 32 - 1, before.count + next.count),
    sinceMs: Math.min(before.sinceMs, next.sinceMs),
    untilMs: next.untilMs,
    clockAheadMs: Math.abs(before.clockAheadMs) > Math.abs(next.clockAheadMs) ? before.clockAheadMs : next.clockAheadMs,
    parcels: Math.max(before.parcels, next.parcels),
  };
}
