import { Act, ProofKind } from "@petak/protocol";
import type { SiteClock } from "../clock.ts";
import type { DoorRefusal } from "../decision/refusals.ts";
import type { AgentLogger } from "../logger.ts";
import type { AgentStore } from "../store/agent-store.ts";
import type { After } from "../timer.ts";
import type { ReportedCredential, Reporter } from "./reporter.ts";

/**
 * Reports refusals that change nothing: of tokens, and of PINs that were not tried. A stranger can cause a hundred a second, so only the first few of a
 * window are written one by one. The rest is counted in memory, and each kind becomes one report at the window's end. A power cut loses what was counted in
 * the present window.
 */
export interface RefusalTally {
  /** Reports a refusal: on disk when this returns, or counted. */
  refused(credential: ReportedCredential, refusal: DoorRefusal): void;
  /** Counts a refusal that cannot be reported now, without its credential. */
  count(refusal: DoorRefusal): void;
  /** Writes the reports of what has been counted. */
  flush(): void;
  /** Ends the present window. Writes nothing. */
  stop(): void;
}

/** Refusals of one window that are written one by one: as many as a person with the wrong code tries. */
export const singlesMax = 5;

/** Length of the first window, in ms. Each window in which something was counted makes the next twice as long, up to the longest. */
export const firstWindowMs = 60_000;
export const longestWindowMs = 900_000;

/** Credentials of one window that are counted each for itself, by their hash. The others are counted by their refusal alone. */
export const namedMax = 8;

/** Refusals of one kind. */
interface Group {
  readonly credential: ReportedCredential;
  readonly refusal: DoorRefusal;
  count: number;
  readonly firstAtMs: number;
  lastAtMs: number;
}

export function createRefusalTally(options: {
  store: Pick<AgentStore, "transaction">;
  reporter: Pick<Reporter, "refused">;
  clock: Pick<SiteClock, "nowMs" | "mark">;
  /** Whether no report of a refusal may be written now: what is counted is kept in memory. */
  isFull: () => boolean;
  after: After;
  /** Called after reports were written at the end of a window. */
  onReport: () => void;
  logger: AgentLogger;
}): RefusalTally {
  const { store, reporter, clock, isFull, after, onReport, logger } = options;
  let singles = 0;
  let windowMs = firstWindowMs;
  let cancel: (() => void) | undefined;
  /** Whether something was counted in the present window, even if it has been flushed since. */
  let hasCounted = false;
  const groups = new Map<string, Group>();

  function openWindow(): void {
    cancel ??= after(windowMs, () => {
      cancel = undefined;
      singles = 0;
      windowMs = hasCounted ? Math.min(longestWindowMs, 2 * windowMs) : firstWindowMs;
      // Goes on after a window with refusals beyond the first few, so that the next ones find the longer window.
      if (hasCounted) openWindow();
      hasCounted = false;
      writeCounted();
    });
  }

  /** Writes the reports of what has been counted. If the disk is full or broken it stays counted: the next window tries again. */
  function writeCounted(): void {
    try {
      flush();
    } catch (error) {
      logger.error({ err: error }, "refusals could not be recorded");
      hasCounted = true;
      openWindow();
      return;
    }
    onReport();
  }

  function flush(): void {
    if (groups.size === 0 || isFull()) return;
    store.transaction(() => {
      clock.mark();
      for (const { credential, refusal, ...counted } of groups.values()) reporter.refused(credential, refusal, counted);
    });
    groups.clear();
  }

  function count(credential: ReportedCredential, refusal: DoorRefusal): void {
    const atMs = clock.nowMs();
    hasCounted = true;
    const named = JSON.stringify([refusal, credential]);
    const isNamed = credential.credentialHash !== "" && (groups.has(named) || namedCount() < namedMax);
    const group = isNamed
      ? { key: named, credential }
      : { key: `${credential.proofKind} ${refusal}`, credential: unnamed(credential.proofKind) };
    const before = groups.get(group.key);
    if (before === undefined) {
      groups.set(group.key, { credential: group.credential, refusal, count: 1, firstAtMs: atMs, lastAtMs: atMs });
    } else {
      before.count += 1;
      before.lastAtMs = atMs;
    }
  }

  const namedCount = () => [...groups.values()].filter(({ credential }) => credential.credentialHash !== "").length;

  return {
    refused(credential, refusal) {
      openWindow();
      if (singles >= singlesMax || isFull()) return count(credential, refusal);
      singles += 1;
      store.transaction(() => {
        clock.mark();
        reporter.refused(credential, refusal);
      });
    },
    count(refusal) {
      openWindow();
      count(unnamed(ProofKind.UNSPECIFIED), refusal);
    },
    flush,
    stop() {
      cancel?.();
      cancel = undefined;
    },
  };
}

function unnamed(proofKind: ProofKind): ReportedCredential {
  return { proofKind, credentialHash: "", act: Act.UNSPECIFIED, reservationId: "", bundleId: "", delegated: false };
}
