import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { Region } from "@petak/protocol";
import { archiveVersions } from "../../data-version/data-versions.ts";
import { ArchiveFailure } from "./archive-failure.ts";
import type { ArchiveFiles } from "./archive-files.ts";
import { type ArchiveDate, type ArchiveLayout, damagedSuffix, unfinishedSuffix } from "./archive-layout.ts";
import { type DayManifest, type DayMember, encodeManifest } from "./day-manifest.ts";

/** The line of an event, and that of the reservation that ended with it. */
export interface DayEntry {
  entry: string;
  eventLine: string;
  reservationLine?: string;
}

/** The day to write. */
export interface DayToWrite {
  region: Region;
  date: ArchiveDate;
  /** A unique id of this attempt. */
  attempt: string;
  /** The least uncompressed length of a member, in characters. Default 131,072: little to read for one reservation, and it still compresses well. */
  memberChars?: number;
}

const memberCharsDefault = 128 * 1024;

const compress = promisify(gzip);

/**
 * Writes the file of a region's day atomically: first the data under an unfinished name, then the manifest, whose name only one writer can create. {@link finishDay}
 * gives the data its final name and removes the files of slower writers.
 */
export async function writeDay(
  files: ArchiveFiles,
  layout: ArchiveLayout,
  { region, date, attempt, memberChars = memberCharsDefault }: DayToWrite,
  entries: AsyncIterable<DayEntry>,
): Promise<void> {
  await files.makeDir(layout.dayDir(region, date));
  const members: DayMember[] = [];
  const digest = createHash("sha256");
  let bytes = 0;

  async function* content(): AsyncGenerator<Buffer> {
    for await (const { lines, ...facts } of gathered(entries, memberChars)) {
      const member = await compress(lines.join(""));
      members.push({ offset: bytes, bytes: member.length, ...facts });
      digest.update(member);
      bytes += member.length;
      yield member;
    }
  }

  await files.write(layout.unfinishedData(region, date, attempt), content());
  const manifest: DayManifest = {
    version: archiveVersions.written,
    region,
    date,
    attempt,
    bytes,
    sha256: digest.digest("hex"),
    events: sum(members.map(({ events }) => events)),
    reservations: sum(members.map(({ reservations }) => reservations)),
    members,
  };
  await files.write(layout.unfinishedManifest(region, date, attempt), [encodeManifest(manifest)]);
  await files.syncDir(layout.dayDir(region, date));
  await files.linkNew(layout.unfinishedManifest(region, date, attempt), layout.manifest(region, date));
  await files.syncDir(layout.dayDir(region, date));
}

/**
 * Finishes a day whose manifest exists: gives the data its final name, and removes the unfinished files of other attempts. Must be called before data of the day is
 * deleted from the store. Idempotent.
 *
 * @throws {ArchiveFailure} if the data is missing
 */
export async function finishDay(files: ArchiveFiles, layout: ArchiveLayout, { region, date, attempt }: DayManifest): Promise<void> {
  const directory = layout.dayDir(region, date);
  const names = await files.names(directory);
  if (!names.includes(basename(layout.data(region, date)))) {
    const unfinished = layout.unfinishedData(region, date, attempt);
    if (!names.includes(basename(unfinished))) throw new ArchiveFailure("damaged", `the file of region ${region}, ${date}, is missing`);
    await files.rename(unfinished, layout.data(region, date));
  }
  for (const name of names.filter((other) => other.endsWith(unfinishedSuffix))) await files.remove(join(directory, name));
  await files.syncDir(directory);
}

/** Renames the files of a damaged day, of which nothing was deleted from the store, so that it is written again. */
export async function discardDay(files: ArchiveFiles, layout: ArchiveLayout, { region, date, attempt }: DayManifest): Promise<void> {
  const directory = layout.dayDir(region, date);
  const names = await files.names(directory);
  // The manifest last: the day counts as archived until then.
  for (const path of [layout.data(region, date), layout.manifest(region, date)]) {
    if (names.includes(basename(path))) await files.rename(path, `${path}.${attempt}${damagedSuffix}`);
    await files.syncDir(directory);
  }
}

interface Gathered extends Omit<DayMember, "offset" | "bytes"> {
  lines: string[];
}

async function* gathered(entries: AsyncIterable<DayEntry>, memberChars: number): AsyncGenerator<Gathered> {
  let member: Gathered | undefined;
  let chars = 0;
  for await (const { entry, eventLine, reservationLine } of entries) {
    member ??= { lines: [], events: 0, reservations: 0, firstEntry: entry, lastEntry: entry };
    member.lines.push(`${eventLine}\n`);
    member.events++;
    member.lastEntry = entry;
    chars += eventLine.length;
    if (reservationLine !== undefined) {
      member.lines.push(`${reservationLine}\n`);
      member.reservations++;
      chars += reservationLine.length;
    }
    if (chars < memberChars) continue;
    yield member;
    member = undefined;
    chars = 0;
  }
  if (member !== undefined) yield member;
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
