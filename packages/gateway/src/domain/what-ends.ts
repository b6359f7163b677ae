import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { Transition } from "@petak/allocator";
import type { Reservation } from "@petak/protocol";

/**
 * What goes with the end of a reservation before its deposit. While a token to deposit may be about, the site's agent has to know that it opens
 * nothing any more.
 */
export function whatEndsWith({ depositUntil }: Reservation): Pick<Transition, "deadlineMs" | "isAllowed" | "pin"> {
  const tokenEndsMs = depositUntil === undefined ? null : timestampMs(depositUntil);
  return { deadlineMs: tokenEndsMs, isAllowed: tokenEndsMs !== null, pin: null };
}
