import type { DatabaseSync } from "node:sqlite";
import type { ConditionKind } from "@petak/protocol";

/** What is to be told of a kind of condition. Times in ms by the site's clock. */
export interface CountedCondition {
  readonly kind: ConditionKind;
  /** How often it came about. */
  readonly count: number;
  /** When it began, the first time. */
  readonly sinceMs: number;
  /** When it ended, the last time. */
  readonly untilMs: number;
  /** The greatest error of the clock: how far it was ahead. */
  readonly clockAheadMs: number;
  readonly parcels: number;
}

/** What is kept on disk of a kind: what has not been told, and when it was told last. */
export interface StoredCondition extends CountedCondition {
  /** 0: never. */
  readonly toldAtMs: number;
}

export interface ConditionRecords {
  all(): StoredCondition[];
  save(condition: StoredCondition): void;
  /** When the gateway was last reached, to about ten minutes, in ms. 0: never. */
  reachedAtMs(): number;
  saveReachedAt(atMs: number): void;
}

/** Makes the records of a store. */
export function createConditionRecords(
  database: DatabaseSync,
  numbers: { read(name: string): number | undefined; write(name: string, value: number): void },
): ConditionRecords {
  const sql = {
    all: database.prepare(`
      SELECT kind, count, since_ms AS sinceMs, until_ms AS untilMs, clock_ahead_ms AS clockAheadMs, parcels, told_at_ms AS toldAtMs
      FROM condition ORDER BY kind`),
    save: database.prepare(`
      INSERT OR REPLACE INTO condition (kind, count, since_ms, until_ms, clock_ahead_ms, parcels, told_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?)`),
  };
  return {
    all: () => sql.all.all() as unknown as StoredCondition[],
    save({ kind, count, sinceMs, untilMs, clockAheadMs, parcels, toldAtMs }) {
      sql.save.run(kind, count, sinceMs, untilMs, clockAheadMs, parcels, toldAtMs);
    },
    reachedAtMs: () => numbers.read("reached_at_ms") ?? 0,
    saveReachedAt(atMs) {
      numbers.write("reached_at_ms", atMs);
    },
  };
}
