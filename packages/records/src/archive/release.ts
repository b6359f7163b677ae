import { parseReservationId, type Reservation } from "@petak/protocol";
import type { Records } from "../records.ts";
import { deleteEmptyBundles } from "./delete-empty-bundles.ts";
import { ArchiveFailure } from "./files/archive-failure.ts";
import type { ArchiveReader } from "./files/archive-reader.ts";

/**
 * What becomes of a reservation that has ended when the clock has nothing more to do with it: `released` it has left the records, since its day is in
 * the archive; `kept` its day will be; `later` it should leave, and the archive cannot be read now.
 */
export type ReleaseOutcome = "released" | "kept" | "later";

/** Takes reservations away that the archive has, and that the clock still had to do with when their day left. */
export type Release = (reservation: Reservation) => Promise<ReleaseOutcome>;

/** Makes it over the records as they are without the archive. */
export function createRelease(
  { events, archive, bundles }: Pick<Records, "events" | "archive" | "bundles">,
  reader: ArchiveReader | undefined,
): Release {
  return async ({ reservationId, revision }) => {
    const id = parseReservationId(reservationId);
    const last = (await events.chainEntries(reservationId)).entries.at(-1);
    if (id === undefined || last === undefined) return "kept";
    const untilMs = await archive.archivedUntil(id.region);
    if (Number.parseInt(last, 10) >= untilMs) return "kept";
    try {
      const archived = (await reader?.find(id.region, id.handle, untilMs))?.at(-1);
      if (archived === undefined || archived.reservation.revision !== revision || archived.chain.at(-1) !== last) return "later";
      if (!(await archive.release(archived))) return "kept";
      await deleteEmptyBundles(bundles, [archived]);
      return "released";
    } catch (error) {
      if (error instanceof ArchiveFailure || (error as NodeJS.ErrnoException).code !== undefined) return "later";
      throw error;
    }
  };
}
