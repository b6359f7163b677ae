import { createHash } from "node:crypto";
import { join } from "node:path";
import type { FeedName } from "@petak/redis";
import { chunkBytes, type StoredChunk } from "../../feeds/feed-chunks.ts";
import type { ChunkTimes } from "../../feeds/feed-store.ts";
import { ArchiveFailure } from "./archive-failure.ts";
import type { ArchiveFiles, OpenFile } from "./archive-files.ts";
import { type ArchiveLayout, unfinishedSuffix } from "./archive-layout.ts";

/**
 * A file with consecutive chunks of a participant's feed: references to events, which determine the number of each event in the feed.
 *
 * Format: `petaklog`; u32 index of the first chunk; u32 number of chunks; for each chunk the times at which its first and its last event were recorded, u48 each, in
 * ms since 1970; for each chunk its references as lua/append-to-feed.lua writes them; SHA-256 of everything before. Numbers in the head are big-endian.
 */
export interface FeedFile {
  path: string;
  /** The indexes of the first and the last chunk. */
  first: number;
  last: number;
}

const magic = "petaklog";
const headBytes = 16;
const timesBytes = 12;
const digestBytes = 32;
const numberDigits = 10;

/** The files of a feed, in order. */
export async function feedFiles(files: ArchiveFiles, layout: ArchiveLayout, feed: FeedName): Promise<FeedFile[]> {
  const directory = layout.feedDir(feed);
  const names = await files.names(directory);
  return names
    .flatMap((name): FeedFile[] => {
      const match = /^(\d{10})_(\d{10})\.refs$/.exec(name);
      return match === null ? [] : [{ path: join(directory, name), first: Number(match[1]), last: Number(match[2]) }];
    })
    .sort((a, b) => a.first - b.first);
}

/** Writes consecutive chunks, unless a file with the same chunks exists. */
export async function writeFeedFile(
  files: ArchiveFiles,
  layout: ArchiveLayout,
  feed: FeedName,
  chunks: readonly StoredChunk[],
  attempt: string,
): Promise<FeedFile> {
  const [first = 0, last = 0] = [chunks[0]?.chunk, chunks.at(-1)?.chunk];
  const directory = layout.feedDir(feed);
  const name = (chunk: number) => String(chunk).padStart(numberDigits, "0");
  const path = join(directory, `${name(first)}_${name(last)}.refs`);
  const unfinished = `${path}.${attempt}${unfinishedSuffix}`;
  await files.makeDir(directory);
  await files.write(unfinished, [encode(first, chunks)]);
  await files.linkNew(unfinished, path);
  await files.syncDir(directory);
  // Also those that crashed attempts have left.
  for (const other of (await files.names(directory)).filter((left) => left.endsWith(unfinishedSuffix))) {
    await files.remove(join(directory, other));
  }
  return { path, first, last };
}

/** Reads a file and verifies its checksum. @throws {ArchiveFailure} if it is missing or damaged */
export async function readFeedFile(files: ArchiveFiles, { path, first, last }: FeedFile): Promise<StoredChunk[]> {
  const bytes = await files.read(path);
  if (bytes === undefined) throw new ArchiveFailure("unavailable", `${path} is missing`);
  const end = bytes.length - digestBytes;
  const count = last - first + 1;
  const isWhole = bytes.length === sizeOf(count) && bytes.subarray(end).equals(digestOf(bytes.subarray(0, end)));
  const isOfName =
    isWhole && bytes.toString("latin1", 0, 8) === magic && bytes.readUInt32BE(8) === first && bytes.readUInt32BE(12) === count;
  if (!isOfName) throw new ArchiveFailure("damaged", `${path} is damaged`);
  return Array.from({ length: count }, (_, index) => ({
    ...timesAt(bytes, headBytes + index * timesBytes, first + index),
    bytes: bytes.subarray(referencesOffset(count, index), referencesOffset(count, index + 1)),
  }));
}

/** Reads the references of one chunk. @throws {ArchiveFailure} if the file has a wrong size */
export async function readFeedChunk(file: OpenFile, { path, first, last }: FeedFile, chunk: number): Promise<Buffer> {
  const count = last - first + 1;
  if (file.sizeBytes !== sizeOf(count)) throw new ArchiveFailure("damaged", `${path} is damaged`);
  return await file.read(referencesOffset(count, chunk - first), chunkBytes);
}

/** Reads the times of the chunks. */
export async function readFeedTimes(file: OpenFile, { first, last }: FeedFile): Promise<ChunkTimes[]> {
  const count = last - first + 1;
  const bytes = await file.read(headBytes, count * timesBytes);
  return Array.from({ length: count }, (_, index) => timesAt(bytes, index * timesBytes, first + index));
}

function encode(first: number, chunks: readonly StoredChunk[]): Buffer {
  const bytes = Buffer.alloc(referencesOffset(chunks.length, 0));
  bytes.write(magic, "latin1");
  bytes.writeUInt32BE(first, 8);
  bytes.writeUInt32BE(chunks.length, 12);
  for (const [index, { firstMs, lastMs }] of chunks.entries()) {
    bytes.writeUIntBE(firstMs, headBytes + index * timesBytes, 6);
    bytes.writeUIntBE(lastMs, headBytes + index * timesBytes + 6, 6);
  }
  const content = Buffer.concat([bytes, ...chunks.map((chunk) => chunk.bytes)]);
  return Buffer.concat([content, digestOf(content)]);
}

function timesAt(bytes: Buffer, at: number, chunk: number): ChunkTimes {
  return { chunk, firstMs: bytes.readUIntBE(at, 6), lastMs: bytes.readUIntBE(at + 6, 6) };
}

function referencesOffset(count: number, index: number): number {
  return headBytes + count * timesBytes + index * chunkBytes;
}

function sizeOf(count: number): number {
  return referencesOffset(count, count) + digestBytes;
}

function digestOf(bytes: Buffer): Buffer {
  return createHash("sha256").update(bytes).digest();
}
