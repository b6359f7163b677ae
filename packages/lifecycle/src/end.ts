import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type Reservation, ReservationState, siteClockSkewMs } from "@petak/protocol";
import type { Transition } from "./transition.ts";

const S = ReservationState;

/** How long after its end a token may open, in ms: an agent allows for the skew, and its clock may be as far behind. */
const tokenOutlivesMs = 2 * siteClockSkewMs;

/** Final states of reservations for which a token may have been issued. */
const tokenStates: ReadonlySet<ReservationState> = new Set([S.CANCELLED, S.COLLECTED, S.NO_SHOW, S.RECALLED]);

/**
 * What ends with a reservation at a time, in ms: its PIN at once; what its site's agent is told of it when the last token to deposit has expired. Until
 * then the agent must know that the token opens nothing any more: the agent may be a new one, or one that was offline.
 */
export function closeAccess({ depositUntil }: Reservation, atMs: number): Required<Pick<Transition, "deadlineMs" | "isAllowed" | "pin">> {
  const tokenEndsMs = depositUntil === undefined ? 0 : timestampMs(depositUntil) + tokenOutlivesMs;
  const mayOpen = tokenEndsMs > atMs;
  return { deadlineMs: mayOpen ? tokenEndsMs : null, isAllowed: mayOpen, pin: null };
}

/**
 * A reservation that was due and that the clock changes no more: its site's agent need not know of it any more where it has ended.
 *
 * @param againMs when to come back to it, in ms; null: never
 */
export function nothingDue(before: Reservation, againMs: number | null): Transition {
  const isOver = tokenStates.has(before.state);
  return { before, heldChange: 0, occupiedChange: 0, deadlineMs: againMs, ...(isOver ? { isAllowed: false } : {}), events: [] };
}
