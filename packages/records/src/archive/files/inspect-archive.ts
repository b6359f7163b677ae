import { type Event, parseReservationId, type Region, type Reservation } from "@petak/protocol";
import { isAfter } from "../../events/event-stream.ts";
import { splitChain } from "../../reservations/reservation-record.ts";
import { ArchiveFailure } from "./archive-failure.ts";
import type { ArchiveFiles, OpenFile } from "./archive-files.ts";
import { type ArchiveDate, type ArchiveLayout, dateAt, dateOfName, endOf, regionOfName } from "./archive-layout.ts";
import { isEventLine, readReservation, recordedEvent } from "./archive-line.ts";
import { createArchiveReader } from "./archive-reader.ts";
import type { DayManifest } from "./day-manifest.ts";
import { feedFiles, readFeedFile } from "./feed-file.ts";
import { entriesOfRun, runsIn } from "./handle-index.ts";
import { checkData, openData, readManifest, readMember } from "./read-day.ts";

/** A region's day in an archive. */
export interface ArchivedDay {
  region: Region;
  date: ArchiveDate;
  events: number;
  reservations: number;
  /** Length of its file. */
  bytes: number;
}

/** Something in an archive that is not as it should be. */
export interface ArchiveProblem {
  /** Undefined where it is a participant's feed. */
  region?: Region;
  /** Undefined where it is the region's index. */
  date?: ArchiveDate;
  problem: string;
}

/** The days of an archive, by region and in order. One whose manifest cannot be read comes as a problem. */
export async function* archivedDays(files: ArchiveFiles, layout: ArchiveLayout): AsyncGenerator<DayManifest | ArchiveProblem> {
  for (const region of await regionsOf(files, layout)) {
    const dates = (await files.names(layout.regionDir(region))).flatMap((name) => dateOfName(name) ?? []).sort();
    for (const date of dates) {
      try {
        const manifest = await readManifest(files, layout, region, date);
        if (manifest !== undefined) yield manifest;
      } catch (error) {
        yield problemOf(error, region, date);
      }
    }
  }
}

/** The regions of an archive, in order. */
export async function regionsOf(files: ArchiveFiles, layout: ArchiveLayout): Promise<Region[]> {
  return (await files.names(layout.root)).flatMap((name) => regionOfName(name) ?? []).sort();
}

/**
 * Reads a day whole, and gives what is wrong with it: its checksum, its counts, the order of its events, what cannot be read, and reservations that
 * do not stand behind their last event.
 */
export async function checkDay(files: ArchiveFiles, layout: ArchiveLayout, manifest: DayManifest): Promise<ArchiveProblem[]> {
  const { region, date } = manifest;
  let file: OpenFile | undefined;
  try {
    file = await openData(files, layout, manifest);
    await checkData(file, manifest);
    let last: string | undefined;
    for (const member of manifest.members) {
      for (const line of await readMember(file, manifest, member)) {
        if (isEventLine(line)) last = checkEvent(line, last, date);
        else checkReservation(line, last, region);
      }
    }
    return [];
  } catch (error) {
    return [problemOf(error, region, date)];
  } finally {
    await file?.close();
  }
}

/** Compares a region's index with its days, and gives what is wrong with it. */
export async function checkIndex(files: ArchiveFiles, layout: ArchiveLayout, days: readonly DayManifest[]): Promise<ArchiveProblem[]> {
  const [{ region } = { region: "" }] = days;
  try {
    const directory = layout.indexDir(region);
    const { runs } = runsIn(directory, await files.names(directory));
    const found = new Map<string, number>();
    for (const run of runs) {
      for await (const { date, member } of entriesOfRun(files, run)) {
        const place = `${date} ${member}`;
        found.set(place, (found.get(place) ?? 0) + 1);
      }
    }
    for (const { date, members } of days) {
      for (const [number, { reservations }] of members.entries()) {
        const place = `${date} ${number}`;
        if ((found.get(place) ?? 0) !== reservations) throw lacking(region, date);
        found.delete(place);
      }
    }
    const [surplus] = found.keys();
    if (surplus !== undefined)
      throw new ArchiveFailure("damaged", `the index has reservations on ${surplus.slice(0, 10)}, which is not there`);
    return [];
  } catch (error) {
    return [{ region, problem: messageOf(error) }];
  }
}

/** Reads the files of all participants' feeds, and gives what is wrong with them: what is not as it was written, or missing in the middle. */
export async function checkFeeds(files: ArchiveFiles, layout: ArchiveLayout): Promise<ArchiveProblem[]> {
  const problems: ArchiveProblem[] = [];
  for (const name of await files.names(layout.root)) {
    const participantId = /^log=(par_[0-9a-z]+)$/.exec(name)?.[1];
    if (participantId === undefined) continue;
    for (const mode of ["live", "test"] as const) {
      let end = 0;
      for (const file of await feedFiles(files, layout, { participantId, mode })) {
        if (file.first > end) problems.push({ problem: `${file.path}: the chunks from ${end} on are missing before it` });
        end = Math.max(end, file.last + 1);
        await readFeedFile(files, file).catch((error: unknown) => problems.push({ problem: messageOf(error) }));
      }
    }
  }
  return problems;
}

/** What an archive has of one reservation: as it ended last, and all of its events. Undefined where it has nothing. */
export async function findArchived(
  files: ArchiveFiles,
  layout: ArchiveLayout,
  reservationId: string,
): Promise<{ reservation: Reservation; events: Event[] } | undefined> {
  const id = parseReservationId(reservationId);
  if (id === undefined) return undefined;
  const dates = (await files.names(layout.regionDir(id.region))).flatMap((name) => dateOfName(name) ?? []).sort();
  const last = dates.at(-1);
  if (last === undefined) return undefined;
  const reader = createArchiveReader(files, layout);
  const versions = await reader.find(id.region, id.handle, endOf(last));
  const newest = versions.at(-1);
  if (newest === undefined) return undefined;
  const chain = [...new Set(versions.flatMap(({ chain: stored }) => splitChain(stored).entries))].sort((a, b) => (isAfter(a, b) ? 1 : -1));
  const found = await reader.readAt(id.region, chain);
  return { reservation: newest.reservation, events: chain.flatMap((entry) => found.get(entry)?.event ?? []) };
}

function checkEvent(line: string, last: string | undefined, date: ArchiveDate): string {
  const logged = recordedEvent(line);
  const { entry } = logged;
  if (last !== undefined && !isAfter(entry, last)) throw new ArchiveFailure("damaged", `event ${entry} stands behind ${last}`);
  if (dateAt(Number.parseInt(entry, 10)) !== date) throw new ArchiveFailure("damaged", `event ${entry} is not of this day`);
  // Throws where it cannot be read.
  void logged.event;
  return entry;
}

function checkReservation(line: string, last: string | undefined, region: Region): void {
  const { reservation, chain } = readReservation(line);
  const { reservationId } = reservation;
  if (parseReservationId(reservationId)?.region !== region) {
    throw new ArchiveFailure("damaged", `reservation ${reservationId} is not of this region`);
  }
  if (chain.at(-1) !== last) throw new ArchiveFailure("damaged", `reservation ${reservationId} does not stand behind its last event`);
}

function lacking(region: Region, date: ArchiveDate): ArchiveFailure {
  return new ArchiveFailure("damaged", `the index of region ${region} does not have what ended on ${date}`);
}

function problemOf(error: unknown, region: Region, date: ArchiveDate): ArchiveProblem {
  return { region, date, problem: messageOf(error) };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
