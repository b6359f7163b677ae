import { createHash, randomBytes } from "node:crypto";
import { createSerialQueue } from "../door/serial-queue.ts";
import type { CounterRecords } from "../store/counter-records.ts";
import { createClerkLocks } from "./clerk-locks.ts";
import type { Clerk, Clerks } from "./clerks.ts";

/** How long a session lasts, in ms: a long working day. */
export const sessionMs = 12 * 3_600_000;

/** A clerk who is signed in on a tablet. */
export interface Session {
  readonly clerk: Clerk;
  readonly tabletId: string;
}

/** What came of signing in. `tryAgainAtMs`: when the next attempt is looked at; undefined: at once. */
export type SignIn =
  | { readonly ok: true; readonly token: string; readonly clerk: Clerk }
  | { readonly ok: false; readonly tryAgainAtMs: number | undefined };

/** The sessions of a store's clerks. */
export interface Sessions {
  signIn(tabletId: string, clerkId: string, pin: string): Promise<SignIn>;
  /** The session of a token. Undefined: it has ended, or its clerk was removed or has a new PIN. */
  of(token: string): Session | undefined;
  signOut(token: string): void;
}

/**
 * Makes the sessions. Wrong PINs count for the clerk, from whatever tablet, and for the tablet, whoever is named: each is locked by itself.
 *
 * @param nowMs the site's time
 * @param elapsedMs a clock that only goes on
 */
export function createSessions(options: {
  records: CounterRecords;
  clerks: Clerks;
  nowMs: () => number;
  elapsedMs: () => number;
}): Sessions {
  const { records, clerks, nowMs, elapsedMs } = options;
  const locks = createClerkLocks(records, elapsedMs);
  // One after the other, so that guesses at the same time are counted like guesses in turn.
  const enqueue = createSerialQueue();
  const clerkOf = (clerkId: string) => clerks.all().find((clerk) => clerk.clerkId === clerkId);

  async function signIn(tabletId: string, clerkId: string, pin: string): Promise<SignIn> {
    const clerk = clerkOf(clerkId);
    // All ids that are nobody's are one, so that the number of locks has an end.
    const subjects = clerk === undefined ? ["clerk"] : [`clerk ${clerkId}`, `tablet ${tabletId}`];
    const leftMs = locks.leftMs(subjects);
    if (leftMs > 0) return { ok: false, tryAgainAtMs: nowMs() + Math.ceil(leftMs) };
    const pinId = await clerks.check(clerkId, pin);
    if (pinId === undefined || clerk === undefined) {
      locks.wrong(subjects);
      const lockedMs = locks.leftMs(subjects);
      return { ok: false, tryAgainAtMs: lockedMs > 0 ? nowMs() + Math.ceil(lockedMs) : undefined };
    }
    locks.right(subjects);
    const token = randomBytes(32).toString("base64url");
    records.saveSession({ tokenHash: hashOf(token), tabletId, clerkId, pinId, endsAtMs: nowMs() + sessionMs });
    return { ok: true, token, clerk };
  }

  return {
    signIn: (tabletId, clerkId, pin) => enqueue(() => signIn(tabletId, clerkId, pin)),
    of(token) {
      const stored = records.session(hashOf(token));
      if (stored === undefined || nowMs() >= stored.endsAtMs) return undefined;
      const clerk = clerks.pinId(stored.clerkId) === stored.pinId ? clerkOf(stored.clerkId) : undefined;
      return clerk && { clerk, tabletId: stored.tabletId };
    },
    signOut: (token) => records.removeSession(hashOf(token)),
  };
}

function hashOf(token: string): string {
  return createHash("sha256").update(token).digest("base64url");
}
