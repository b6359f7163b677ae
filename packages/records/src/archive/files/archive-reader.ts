import { formatReservationId, type Region } from "@petak/protocol";
import { isAfter, type RecordedEvent } from "../../events/event-stream.ts";
import { ArchiveFailure } from "./archive-failure.ts";
import type { ArchiveFiles } from "./archive-files.ts";
import { type ArchiveDate, type ArchiveLayout, dateAt, dateOfName, startOf } from "./archive-layout.ts";
import { type ArchivedReservation, entryOf, isEventLine, isLineOf, readReservation, recordedEvent } from "./archive-line.ts";
import type { DayManifest, DayMember } from "./day-manifest.ts";
import { coversDay, findInRun, type HandlePlace, runsIn } from "./handle-index.ts";
import { openData, readManifest, readMember } from "./read-day.ts";
import { WeightedCache } from "./weighted-cache.ts";

/** Reads what has left the records. */
export interface ArchiveReader {
  /**
   * What is archived under a handle, oldest first; nothing where there is nothing. Several where something was recorded about a reservation
   * after it was archived, or its request was made anew long after. `untilMs` is before when the region's events are archived.
   */
  find(region: Region, handle: string, untilMs: number): Promise<ArchivedReservation[]>;
  /** At most `count` events of a region after an entry and before a time, oldest first. */
  readAfter(region: Region, entry: string, beforeMs: number, count: number): Promise<RecordedEvent[]>;
  /** The events at some entries of a region, by their entry. */
  readAt(region: Region, entries: readonly string[]): Promise<Map<string, RecordedEvent>>;
}

/** What is kept of members that were read, in characters: about 32 MB. */
const linesMax = 16 * 1024 * 1024;

/** What is kept of manifests, in members that they list: some 10 MB. */
const membersMax = 100_000;

/** How often a look at the index begins anew when its runs were merged meanwhile. */
const maxAttempts = 5;

/** Reads an archive. It may grow meanwhile; what is there never changes. */
export function createArchiveReader(files: ArchiveFiles, layout: ArchiveLayout): ArchiveReader {
  const members = new WeightedCache<Promise<string[]>>(linesMax);
  const manifests = new WeightedCache<DayManifest>(membersMax);

  async function manifestOf(region: Region, date: ArchiveDate): Promise<DayManifest | undefined> {
    const name = `${region} ${date}`;
    const known = manifests.get(name);
    if (known !== undefined) return known;
    const manifest = await readManifest(files, layout, region, date);
    if (manifest !== undefined) manifests.set(name, manifest, manifest.members.length + 1);
    return manifest;
  }

  async function linesOf(manifest: DayManifest, member: DayMember): Promise<string[]> {
    const name = `${manifest.region} ${manifest.date} ${member.offset}`;
    const known = members.get(name);
    if (known !== undefined) return await known;
    const reading = readLines(manifest, member);
    // Kept before it is read, so that those who come meanwhile wait for the same.
    members.set(name, reading, 0);
    try {
      const lines = await reading;
      const chars = lines.reduce((sum, line) => sum + line.length, 0);
      members.set(name, reading, chars);
      return lines;
    } catch (error) {
      members.delete(name);
      throw error;
    }
  }

  async function readLines(manifest: DayManifest, member: DayMember): Promise<string[]> {
    const file = await openData(files, layout, manifest);
    try {
      return await readMember(file, manifest, member);
    } finally {
      await file.close();
    }
  }

  /** The days of a region, in order. */
  async function datesOf(region: Region): Promise<readonly ArchiveDate[]> {
    const names = await files.names(layout.regionDir(region));
    return names.flatMap((name) => dateOfName(name) ?? []).sort();
  }

  async function placesOf(region: Region, handle: string, untilMs: number): Promise<HandlePlace[]> {
    const directory = layout.indexDir(region);
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const { runs } = runsIn(directory, await files.names(directory));
      if (!coversDay(runs, dateAt(untilMs - 1))) throw new ArchiveFailure("damaged", `the index of region ${region} is not whole`);
      const found = await Promise.all(runs.map(({ path }) => placesInRun(path, handle)));
      const places = found.filter((some) => some !== undefined);
      if (places.length === runs.length) return places.flat();
    }
    throw new ArchiveFailure("away", `the index of region ${region} kept changing`);
  }

  /** Undefined where the run has gone. */
  async function placesInRun(path: string, handle: string): Promise<HandlePlace[] | undefined> {
    const file = await files.open(path);
    if (file === undefined) return undefined;
    try {
      return await findInRun(file, path, handle);
    } finally {
      await file.close();
    }
  }

  return {
    async find(region, handle, untilMs) {
      const reservationId = formatReservationId(region, handle);
      const places = await placesOf(region, handle, untilMs);
      return await Promise.all(
        places.map(async ({ date, member: number }) => {
          const manifest = await manifestOf(region, date);
          const member = manifest?.members[number];
          if (manifest === undefined || member === undefined) throw misplaced(region, date);
          const line = (await linesOf(manifest, member)).find((candidate) => isLineOf(candidate, reservationId));
          if (line === undefined) throw misplaced(region, date);
          return readReservation(line);
        }),
      );
    },

    async readAfter(region, entry, beforeMs, count) {
      const events: RecordedEvent[] = [];
      const firstDate = dateAt(timeOf(entry));
      for (const date of await datesOf(region)) {
        // What is not before the time may be written anew.
        if (date < firstDate || startOf(date) >= beforeMs) continue;
        const manifest = await manifestOf(region, date);
        if (manifest === undefined) continue;
        for (const member of manifest.members) {
          if (!isAfter(member.lastEntry, entry)) continue;
          for (const line of await linesOf(manifest, member)) {
            if (!isEventLine(line)) continue;
            const at = entryOf(line);
            if (!isAfter(at, entry)) continue;
            if (timeOf(at) >= beforeMs || events.length >= count) return events;
            events.push(recordedEvent(line));
          }
        }
      }
      return events;
    },

    async readAt(region, entries) {
      const found = new Map<string, RecordedEvent>();
      const wanted = new Set(entries);
      for (const date of new Set(entries.map((entry) => dateAt(timeOf(entry))))) {
        const manifest = await manifestOf(region, date);
        for (const member of manifest?.members ?? []) {
          const isWanted = entries.some((entry) => !isAfter(member.firstEntry, entry) && !isAfter(entry, member.lastEntry));
          if (manifest === undefined || !isWanted) continue;
          for (const line of await linesOf(manifest, member)) {
            if (isEventLine(line) && wanted.has(entryOf(line))) found.set(entryOf(line), recordedEvent(line));
          }
        }
      }
      return found;
    },
  };
}

function timeOf(entry: string): number {
  return Number(entry.slice(0, entry.indexOf("-")));
}

function misplaced(region: Region, date: ArchiveDate): ArchiveFailure {
  return new ArchiveFailure("damaged", `the index of region ${region} names a reservation on ${date} that is not there`);
}
