import { toJson } from "@bufbuild/protobuf";
import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import { stateName } from "@petak/lifecycle";
import { EventSchema, EventType, ReservationSchema } from "@petak/protocol";
import { ArchiveFailure, diskFiles, findArchived } from "@petak/records";
import { CliFailure, usageFailure } from "../failure.ts";
import type { Session } from "../session.ts";
import { type ArchiveLocation, openDirectory } from "./open-directory.ts";

/** Shows an archived reservation. Throws a CliFailure if the archive does not have it. */
export async function showReservation(session: Session, options: ArchiveLocation, reservationId: string): Promise<void> {
  const { output } = session;
  if (!reservationId.startsWith("res_")) throw usageFailure(`"${reservationId}" is not a reservation id; they begin with res_.`);
  const layout = await openDirectory(session, options);
  const found = await findArchived(diskFiles, layout, reservationId).catch((error: unknown) => {
    if (!(error instanceof ArchiveFailure)) throw error;
    throw new CliFailure(`The archive cannot be read: ${error.message}. Run \`petak archive verify\`.`, {
      reason: "archive-damaged",
      cause: error,
    });
  });
  if (found === undefined) {
    throw new CliFailure(`The archive has no reservation ${reservationId}; it may not have ended, or not long ago enough.`, {
      reason: "not-archived",
    });
  }
  const { reservation, events } = found;
  output.json({ reservation: toJson(ReservationSchema, reservation), events: events.map((event) => toJson(EventSchema, event)) });
  const { cyan, dim } = output.colors;
  output.print(`${cyan(reservationId)} ${stateName(reservation.state)} at ${reservation.siteId}, made by ${reservation.participantId}`);
  if (reservation.partnerReference !== "") output.print(dim(`reference ${reservation.partnerReference}`));
  output.table(
    [{ title: "HAPPENED" }, { title: "RECORDED" }, { title: "EVENT" }, { title: "FROM" }, { title: "TO" }],
    events.map(({ occurredAt, recordedAt, type, stateBefore, stateAfter }) => [
      formatTime(occurredAt),
      formatTime(recordedAt),
      eventTypeName(type),
      stateName(stateBefore),
      stateName(stateAfter),
    ]),
  );
}

function eventTypeName(type: EventType): string {
  return Object.entries(EventType).find(([, value]) => value === type)?.[0] ?? String(type);
}

function formatTime(time: Timestamp | undefined): string {
  return time === undefined ? "" : timestampDate(time).toISOString();
}
