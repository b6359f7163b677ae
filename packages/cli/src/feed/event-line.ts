import { timestampDate } from "@bufbuild/protobuf/wkt";
import { type Event, EventType, ReservationState } from "@petak/protocol";
import { nameIn } from "../chain/name-in.ts";
import { detailsOf } from "../chain/show-events.ts";
import type { Colors } from "../terminal/colors.ts";

/** The longest name of a type that is common in a feed. Longer ones shift the rest of their line. */
const typeColumns = 25;

/** An event in one line. Lines of a feed come one by one, so that no table can be laid out. */
export function eventLine(event: Event, { bold, cyan, dim }: Colors): string {
  const { recordedAt, type, reservationId, siteId, stateBefore, stateAfter, partnerReference } = event;
  const at = recordedAt === undefined ? "" : timestampDate(recordedAt).toISOString();
  const states = stateAfter === stateBefore ? "" : nameIn(ReservationState, stateAfter);
  const parts = [states, partnerReference, detailsOf(event)].filter((part) => part !== "");
  return `${dim(at)}  ${bold(nameIn(EventType, type).padEnd(typeColumns))}  ${cyan(reservationId || siteId)}  ${parts.join("; ")}`.trimEnd();
}
