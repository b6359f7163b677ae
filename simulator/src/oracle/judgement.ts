import type { Observation, ViolationFound } from "../observe/observation.ts";
import type { Rule } from "./rules.ts";

/** What a check has found. */
export interface Finding {
  readonly rule: Rule;
  readonly text: string;
  readonly intentions: readonly number[];
  readonly evidence: readonly Observation[];
}

/** A check that can be made only when what was recorded before it began has been read. */
export type LaterCheck = () => Finding | undefined;

/** Most observations as evidence of one violation. */
const evidenceMax = 20;

/** Checks of one round that wait: more are not made, e.g. if no feed is read. */
const waitingMax = 200_000;

/** Violations of one rule that are told one by one. The others are counted. */
const toldMax = 1000;

/**
 * Collects what is found, and makes checks when their time has come.
 *
 * A check is made when every feed has been read twice after it was put in: the first reading may have begun before. Rounds of readings are counted for that, a
 * round being over when each known feed has been read to its end. A check put in during one round is made when the second after it is over.
 */
export class Judgement {
  readonly #found: ViolationFound[] = [];
  readonly #told = new Map<Rule, number>();
  /** Whether each known feed was read in this round. */
  readonly #feeds = new Map<string, boolean>();
  /** Checks put in during this round, the one before, and the one before that. */
  #rounds: [LaterCheck[], LaterCheck[], LaterCheck[]] = [[], [], []];
  #atMs = 0;

  /** The latest time of an observation, in ms since 1970. */
  at(atMs: number): void {
    if (atMs > this.#atMs) this.#atMs = atMs;
  }

  later(check: LaterCheck): void {
    if (this.#rounds[0].length < waitingMax) this.#rounds[0].push(check);
  }

  /** A feed exists. */
  feedSeen(participantId: string): void {
    if (!this.#feeds.has(participantId)) this.#feeds.set(participantId, false);
  }

  /** Whether a participant's feed is read in this run. */
  readsFeed(participantId: string): boolean {
    return this.#feeds.has(participantId);
  }

  /** A feed was read to its end. */
  feedRead(participantId: string): void {
    this.#feeds.set(participantId, true);
    for (const isRead of this.#feeds.values()) if (!isRead) return;
    for (const id of this.#feeds.keys()) this.#feeds.set(id, false);
    const due = this.#rounds[2];
    this.#rounds = [[], this.#rounds[0], this.#rounds[1]];
    for (const check of due) {
      const finding = check();
      if (finding !== undefined) this.found(finding);
    }
  }

  found({ rule, text, intentions, evidence }: Finding): void {
    const told = this.#told.get(rule) ?? 0;
    this.#told.set(rule, told + 1);
    if (told >= toldMax) return;
    const of = [...new Set(intentions)].filter((intention) => intention > 0).sort((a, b) => a - b);
    // The first ones say what was promised, the last ones what was wrong with it.
    const few = evidence.length <= evidenceMax ? evidence : [...evidence.slice(0, 5), ...evidence.slice(5 - evidenceMax)];
    this.#found.push({ kind: "violation", atMs: this.#atMs, rule, intentions: of, text, evidence: few });
  }

  /** What was found since it was asked for last. */
  take(): ViolationFound[] {
    return this.#found.splice(0);
  }

  /** What was found and not told. */
  takeUntold(): ViolationFound[] {
    const untold = [...this.#told].filter(([, count]) => count > toldMax);
    return untold.map(([rule, count]) => ({
      kind: "violation",
      atMs: this.#atMs,
      rule,
      intentions: [],
      text: `${count - toldMax} more violations of this rule were found and are not listed.`,
      evidence: [],
    }));
  }
}
