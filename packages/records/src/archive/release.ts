import { parseReservationId, type Reservation } from "@petak/protocol";
import { type BundleStore, deleteEmptyBundles } from "../bundles/bundle-store.ts";
import type { EventStream } from "../events/event-stream.ts";
import { ArchiveFailure } from "./files/archive-failure.ts";
import type { ArchiveReader } from "./files/archive-reader.ts";
import type { RegionArchive } from "./region-archive.ts";

/**
 * The result of releasing an ended reservation without a deadline: `released` it was deleted, since its day is archived; `kept` its day will be archived with it;
 * `later` it should be deleted, but the archive cannot be read now or does not have this version of it.
 */
export type ReleaseOutcome = "released" | "kept" | "later";

/** Deletes a reservation that still had a deadline when its day was archived. */
export type Release = (reservation: Reservation) => Promise<ReleaseOutcome>;

/** The records that release works on. */
export interface ReleasableRecords {
  events: Pick<EventStream, "chainEntries">;
  archive: Pick<RegionArchive, "archivedUntil" | "release">;
  bundles: Pick<BundleStore, "deleteIfEmpty">;
}

/** Creates the function over the store's records, not over those with the archive. @param reader undefined if this gateway has no archive */
export function createRelease({ events, archive, bundles }: ReleasableRecords, reader: ArchiveReader | undefined): Release {
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
      await deleteEmptyBundles(bundles, [archived.reservation]);
      return "released";
    } catch (error) {
      if (error instanceof ArchiveFailure || (error as NodeJS.ErrnoException).code !== undefined) return "later";
      throw error;
    }
  };
}
