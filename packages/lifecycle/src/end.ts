import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type Reservation, ReservationState, siteClockSkewMs } from "@petak/protocol";
import { deadlineMsOf } from "./deadlines.ts";
import type { Transition } from "./transition.ts";

const S = ReservationState;

/** How long after its expiry a token may still open, in ms: the agent tolerates the skew, and its clock may be as far behind. */
const tokenOutlivesMs = 2 * siteClockSkewMs;

/** Final states of reservations for which a token may have been issued. */
const tokenStates: ReadonlySet<ReservationState> = new Set([S.CANCELLED, S.COLLECTED, S.NO_SHOW, S.RECALLED]);

/**
 * Ends a reservation's access at a time, in ms: the PIN at once; its allowances once the last token to deposit has expired. Until then the site's agent, which may
 * be new or was offline, must learn that the token is no longer accepted.
 */
export function closeAccess({ depositUntil }: Reservation, atMs: number): Required<Pick<Transition, "deadlineMs" | "isAllowed" | "pin">> {
  const tokenEndsMs = depositUntil === undefined ? 0 : timestampMs(depositUntil) + tokenOutlivesMs;
  const mayOpen = tokenEndsMs > atMs;
  return { deadlineMs: mayOpen ? tokenEndsMs : null, isAllowed: mayOpen, pin: null };
}

/**
 * Updates the deadline of a reservation that was listed as due although nothing is due: it changed after it was listed, or it has ended and its site's
 * agent need no longer know of it. A later deadline stays.
 *
 * @param atMs the time, in ms
 * @param againMs when to look at it again, in ms, if it has no deadline. Undefined: never
 */
export function nothingDue(before: Reservation, atMs: number, againMs?: number): Transition {
  const unchanged = { before, heldChange: 0, occupiedChange: 0, events: [] } as const;
  if (!tokenStates.has(before.state)) return { ...unchanged, deadlineMs: deadlineMsOf(before) ?? againMs ?? null };
  const tokenEndsMs = closeAccess(before, atMs).deadlineMs;
  if (tokenEndsMs !== null) return { ...unchanged, deadlineMs: tokenEndsMs };
  return { ...unchanged, deadlineMs: againMs ?? null, isAllowed: false };
}
