import { formatReservationId, type Region } from "@petak/protocol";
import type { ReservationWithChain } from "../../encoding/reservation-record.ts";
import { entryTimeMs, isAfter } from "../../encoding/stream-entry.ts";
import type { RecordedEvent } from "../../events/event-stream.ts";
import { ArchiveFailure } from "./archive-failure.ts";
import type { ArchiveFiles } from "./archive-files.ts";
import { type ArchiveDate, type ArchiveLayout, dateAt, dateOfName, startOf } from "./archive-layout.ts";
import { entryOf, isEventLine, isLineOf, readReservation, recordedEvent } from "./archive-line.ts";
import type { DayManifest, DayMember } from "./day-manifest.ts";
import { coversDay, findInRun, type HandlePlace, runsIn } from "./handle-index.ts";
import { openData, readManifest, readMember } from "./read-day.ts";
import { WeightedCache } from "./weighted-cache.ts";

/** Reads the archive. */
export interface ArchiveReader {
  /**
   * The archived copies of a reservation, oldest first. More than one if events were recorded about the reservation after it was archived, or if its request was
   * repeated long afterwards.
   *
   * @param untilMs all of the region's events before this time are archived, in ms since 1970
   * @throws {ArchiveFailure} if the archive is damaged or incomplete
   */
  find(region: Region, handle: string, untilMs: number): Promise<ReservationWithChain[]>;
  /** At most `count` events of a region after an entry and before a time in ms since 1970, oldest first. */
  readAfter(region: Region, entry: string, beforeMs: number, count: number): Promise<RecordedEvent[]>;
  /** The events at entries of a region, by entry. Missing ones are left out. */
  readAt(region: Region, entries: readonly string[]): Promise<Map<string, RecordedEvent>>;
}

/** The cache of lines, in characters: about 32 MB. */
const linesMax = 16 * 1024 * 1024;

/** The cache of manifests, in members that they list: about 10 MB. */
const membersMax = 100_000;

/** The most attempts at reading the index while its runs are merged. */
const maxAttempts = 5;

/** Creates a reader. The archive may grow meanwhile, but existing files never change. */
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
    // Cached before it has been read, so that concurrent calls share the read.
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
      if (!coversDay(runs, dateAt(untilMs - 1))) throw new ArchiveFailure("damaged", `the index of region ${region} is incomplete`);
      const found = await Promise.all(runs.map(({ path }) => placesInRun(path, handle)));
      const places = found.filter((some) => some !== undefined);
      if (places.length === runs.length) return places.flat();
    }
    throw new ArchiveFailure("unavailable", `the index of region ${region} was changed concurrently too often`);
  }

  /** Finds a handle in a run. Undefined if the run was removed. */
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
      const firstDate = dateAt(entryTimeMs(entry));
      for (const date of await datesOf(region)) {
        // Days that are not before the time may still be rewritten.
        if (date < firstDate || startOf(date) >= beforeMs) continue;
        const manifest = await manifestOf(region, date);
        if (manifest === undefined) continue;
        for (const member of manifest.members) {
          if (!isAfter(member.lastEntry, entry)) continue;
          for (const line of await linesOf(manifest, member)) {
            if (!isEventLine(line)) continue;
            const at = entryOf(line);
            if (!isAfter(at, entry)) continue;
            if (entryTimeMs(at) >= beforeMs || events.length >= count) return events;
            events.push(recordedEvent(line));
          }
        }
      }
      return events;
    },

    async readAt(region, entries) {
      const found = new Map<string, RecordedEvent>();
      const wanted = new Set(entries);
      for (const date of new Set(entries.map((entry) => dateAt(entryTimeMs(entry))))) {
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

function misplaced(region: Region, date: ArchiveDate): ArchiveFailure {
  return new ArchiveFailure("damaged", `the index of region ${region} lists a reservation on ${date} that is missing`);
}
