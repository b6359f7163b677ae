import { type Event, parseReservationId, type Region, type Reservation } from "@petak/protocol";
import { splitChain } from "../../encoding/reservation-record.ts";
import { isAfter } from "../../encoding/stream-entry.ts";
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

/** A defect of an archive. */
export interface ArchiveProblem {
  /** Undefined for a participant's feed. */
  region?: Region;
  /** Undefined for a region's index. */
  date?: ArchiveDate;
  problem: string;
}

/** The days of an archive, sorted by region and date. A day whose manifest cannot be read is returned as a problem. */
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

/** The regions of an archive, sorted. */
export async function regionsOf(files: ArchiveFiles, layout: ArchiveLayout): Promise<Region[]> {
  return (await files.names(layout.root)).flatMap((name) => regionOfName(name) ?? []).sort();
}

/** Reads a day completely, and returns its first defect: in its checksum, counts, order of events, encoding, or the position of reservations after their last event. */
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

/** Compares a region's index with its days, and returns the first defect. */
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
      throw new ArchiveFailure("damaged", `the index lists reservations on ${surplus.slice(0, 10)}, which is not archived`);
    return [];
  } catch (error) {
    return [{ region, problem: messageOf(error) }];
  }
}

/** Reads the files of all participants' feeds, and returns their defects: damaged files, and missing chunks before existing ones. */
export async function checkFeeds(files: ArchiveFiles, layout: ArchiveLayout): Promise<ArchiveProblem[]> {
  const problems: ArchiveProblem[] = [];
  for (const name of await files.names(layout.root)) {
    const participantId = /^log=(par_[0-9a-z]+)$/.exec(name)?.[1];
    if (participantId === undefined) continue;
    for (const mode of ["live", "test"] as const) {
      let end = 0;
      for (const file of await feedFiles(files, layout, { participantId, mode })) {
        if (file.first > end) problems.push({ problem: `${file.path}: the chunks from ${end} to ${file.first - 1} before it are missing` });
        end = Math.max(end, file.last + 1);
        await readFeedFile(files, file).catch((error: unknown) => problems.push({ problem: messageOf(error) }));
      }
    }
  }
  return problems;
}

/** An archived reservation in its last version, and all of its archived events. Undefined if it is not archived. */
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
  const recorded = recordedEvent(line);
  const { entry } = recorded;
  if (last !== undefined && !isAfter(entry, last)) throw new ArchiveFailure("damaged", `event ${entry} comes after ${last}`);
  if (dateAt(Number.parseInt(entry, 10)) !== date) throw new ArchiveFailure("damaged", `event ${entry} is of another day`);
  // Throws if it cannot be decoded.
  void recorded.event;
  return entry;
}

function checkReservation(line: string, last: string | undefined, region: Region): void {
  const { reservation, chain } = readReservation(line);
  const { reservationId } = reservation;
  if (parseReservationId(reservationId)?.region !== region) {
    throw new ArchiveFailure("damaged", `reservation ${reservationId} is of another region`);
  }
  if (chain.at(-1) !== last) throw new ArchiveFailure("damaged", `reservation ${reservationId} does not follow its last event`);
}

function lacking(region: Region, date: ArchiveDate): ArchiveFailure {
  return new ArchiveFailure("damaged", `the index of region ${region} lacks reservations of ${date}`);
}

function problemOf(error: unknown, region: Region, date: ArchiveDate): ArchiveProblem {
  return { region, date, problem: messageOf(error) };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
