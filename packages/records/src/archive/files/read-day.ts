import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import type { Region } from "@petak/protocol";
import { ArchiveFailure } from "./archive-failure.ts";
import type { ArchiveFiles, OpenFile } from "./archive-files.ts";
import type { ArchiveDate, ArchiveLayout } from "./archive-layout.ts";
import { entryOf, isEventLine } from "./archive-line.ts";
import { type DayManifest, type DayMember, decodeManifest } from "./day-manifest.ts";

const decompress = promisify(gunzip);

/** The most bytes of a decompressed member: far more than is written, and safe for the process. */
const memberMaxBytes = 64 * 1024 * 1024;

/** Bytes that are read at once from a whole file. */
const chunkBytes = 1024 * 1024;

/** The manifest of a region's day. Undefined if the day is not archived. @throws {ArchiveFailure} if it is damaged */
export async function readManifest(
  files: ArchiveFiles,
  layout: ArchiveLayout,
  region: Region,
  date: ArchiveDate,
): Promise<DayManifest | undefined> {
  const bytes = await files.read(layout.manifest(region, date));
  return bytes === undefined ? undefined : decodeManifest(bytes, region, date);
}

/** Opens a day's data, which may still have its unfinished name: its writer may be about to rename it or may have crashed. */
export async function openData(files: ArchiveFiles, layout: ArchiveLayout, { region, date, attempt }: DayManifest): Promise<OpenFile> {
  const paths = [layout.data(region, date), layout.unfinishedData(region, date, attempt), layout.data(region, date)];
  for (const path of paths) {
    const file = await files.open(path);
    if (file !== undefined) return file;
  }
  throw new ArchiveFailure("damaged", `the file of region ${region}, ${date}, is missing, but its manifest exists`);
}

/** The lines of one member. @throws {ArchiveFailure} if they do not match the manifest */
export async function readMember(file: OpenFile, { region, date }: DayManifest, member: DayMember): Promise<string[]> {
  const compressed = await file.read(member.offset, member.bytes);
  const damaged = (why: string, cause?: unknown) =>
    new ArchiveFailure("damaged", `the file of region ${region}, ${date}, is damaged from byte ${member.offset} on: ${why}`, { cause });
  let text: string;
  try {
    text = (await decompress(compressed, { maxOutputLength: memberMaxBytes })).toString();
  } catch (error) {
    throw damaged((error as Error).message, error);
  }
  if (!text.endsWith("\n")) throw damaged("the last line is cut off");
  const lines = text.slice(0, -1).split("\n");
  const events = lines.filter(isEventLine);
  if (events.length !== member.events || lines.length - events.length !== member.reservations) {
    throw damaged(
      `it has ${events.length} events and ${lines.length - events.length} reservations, ` +
        `but the manifest says ${member.events} and ${member.reservations}`,
    );
  }
  if (entryOf(events[0] ?? "") !== member.firstEntry || entryOf(events.at(-1) ?? "") !== member.lastEntry) {
    throw damaged("its first or last event is not the one in the manifest");
  }
  return lines;
}

/** Compares a file with the length and checksum in its manifest. @throws {ArchiveFailure} if they differ */
export async function checkData(file: OpenFile, manifest: DayManifest): Promise<void> {
  const { region, date, bytes, sha256 } = manifest;
  if (file.sizeBytes !== bytes) {
    throw new ArchiveFailure("damaged", `the file of region ${region}, ${date}, has ${file.sizeBytes} bytes instead of ${bytes}`);
  }
  const digest = createHash("sha256");
  for (let at = 0; at < bytes; at += chunkBytes) digest.update(await file.read(at, Math.min(chunkBytes, bytes - at)));
  const found = digest.digest("hex");
  if (found === sha256) return;
  throw new ArchiveFailure("damaged", `the file of region ${region}, ${date}, has the SHA-256 ${found} instead of ${sha256}`);
}
