import { timestampMs } from "@bufbuild/protobuf/wkt";
import { defaultMaxSkewMs } from "@petak/credential";
import type { Reservation } from "@petak/protocol";
import type { Transition } from "@petak/records";

/** How long after its end a token may open, in ms: an agent gives it the skew, and its clock may be as far behind. */
const tokenOutlivesMs = 2 * defaultMaxSkewMs;

/**
 * What goes with the end of a reservation at a time, in ms. While a token to deposit may be about that opens somewhere, the site's agent has to know that it opens
 * nothing any more: it may be a new one, or one that was away.
 */
export function whatEndsWith({ depositUntil }: Reservation, atMs: number): Pick<Transition, "deadlineMs" | "isAllowed" | "pin"> {
  const tokenEndsMs = depositUntil === undefined ? 0 : timestampMs(depositUntil) + tokenOutlivesMs;
  const isAbout = tokenEndsMs > atMs;
  return { deadlineMs: isAbout ? tokenEndsMs : null, isAllowed: isAbout, pin: null };
}
