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

/** An event's line, and that of the reservation which ended with it. */
export interface DayEntry {
  entry: string;
  eventLine: string;
  reservationLine?: string;
}

/** Which day is written, and by whom. */
export interface DayToWrite {
  region: Region;
  date: ArchiveDate;
  /** Names this attempt, and no other. */
  attempt: string;
  /** Text of a member before it is compressed, at least, in characters. Default 131,072: not much to read for one reservation, and it still compresses well. */
  memberChars?: number;
}

const memberCharsDefault = 128 * 1024;

const compress = promisify(gzip);

/**
 * Writes the file of a region's day, which is not there until all of it is on the disk: the data under a name that does not count, then the manifest, of
 * which only one writer can make the name, then the data's own name. Where another was faster, what this one wrote goes.
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
 * Finishes a day whose manifest is there: gives the data its name where the writer died before it could, and removes what others left. To be
 * done before the day is relied on; safe to do at any time.
 */
export async function finishDay(files: ArchiveFiles, layout: ArchiveLayout, { region, date, attempt }: DayManifest): Promise<void> {
  const directory = layout.dayDir(region, date);
  const names = await files.names(directory);
  if (!names.includes(basename(layout.data(region, date)))) {
    const unfinished = layout.unfinishedData(region, date, attempt);
    if (!names.includes(basename(unfinished))) throw new ArchiveFailure("damaged", `the file of region ${region}, ${date}, has gone`);
    await files.rename(unfinished, layout.data(region, date));
  }
  for (const name of names.filter((other) => other.endsWith(unfinishedSuffix))) await files.remove(join(directory, name));
  await files.syncDir(directory);
}

/** Sets a day aside that cannot be read back and of which nothing has been taken from the records, so that it is written anew. */
export async function discardDay(files: ArchiveFiles, layout: ArchiveLayout, { region, date, attempt }: DayManifest): Promise<void> {
  const directory = layout.dayDir(region, date);
  const names = await files.names(directory);
  // The manifest last: the day counts until then.
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
