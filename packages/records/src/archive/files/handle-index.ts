import { randomBytes } from "node:crypto";
import { ArchiveFailure } from "./archive-failure.ts";
import type { ArchiveFiles, OpenFile } from "./archive-files.ts";
import { type ArchiveDate, dateAt, dayMs, startOf, unfinishedSuffix } from "./archive-layout.ts";

/** The location of a reservation in the archive: its day, and the number of the member in the day's file. */
export interface HandlePlace {
  date: ArchiveDate;
  member: number;
}

/** A reservation's handle and its location. */
export interface IndexEntry extends HandlePlace {
  handle: string;
}

/**
 * A file of a region's index: the reservations of a range of days, sorted by handle. Days are added one by one, and runs of about equal length are merged, so the
 * number of runs grows with the logarithm of the number of reservations. Looking up a handle reads two parts of each run.
 *
 * Format: a head of 16 bytes: `petakidx`, u32 number of entries, u8 number of fan-out bits, 3 bytes of zero. Then the fan-out: 2^bits + 1 times u32, the number of
 * entries whose handles begin with less than those bits. Then entries of 16 bytes: the 80 bits of the handle, u16 days since 1970, u32 number of the member. All
 * numbers are big-endian.
 */
export interface IndexRun {
  from: ArchiveDate;
  to: ArchiveDate;
  path: string;
}

const magic = "petakidx";
const headBytes = 16;
const handleBytes = 10;
const entryBytes = 16;
/** The average number of entries in a bucket of the fan-out. */
const bucketEntries = 32;
const fanOutBitsMax = 22;
/** Entries that are read or written at once. */
const entriesBatch = 4096;

/** The alphabet of handles: base32 as in the protocol's ids. */
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

/** The 80 bits of a handle. */
export function handleKey(handle: string): Buffer {
  let bits = 0n;
  for (const character of handle) bits = bits * 32n + BigInt(alphabet.indexOf(character));
  return Buffer.from(bits.toString(16).padStart(2 * handleBytes, "0"), "hex");
}

/** The runs of an index, oldest first. One whose days are within another's was merged into that and is superseded. */
export function runsIn(directory: string, names: readonly string[]): { runs: IndexRun[]; superseded: string[] } {
  const all = names.flatMap((name): IndexRun[] => {
    const match = /^(\d{4}-\d{2}-\d{2})_(\d{4}-\d{2}-\d{2})\.idx$/.exec(name);
    return match === null ? [] : [{ from: match[1] as string, to: match[2] as string, path: `${directory}/${name}` }];
  });
  const isWithin = (inner: IndexRun, outer: IndexRun) => inner !== outer && outer.from <= inner.from && inner.to <= outer.to;
  const runs = all.filter((run) => !all.some((other) => isWithin(run, other))).sort((a, b) => (a.from < b.from ? -1 : 1));
  return { runs, superseded: all.filter((run) => !runs.includes(run)).map(({ path }) => path) };
}

/** Whether runs contain a day. */
export function coversDay(runs: readonly IndexRun[], date: ArchiveDate): boolean {
  return runs.some(({ from, to }) => from <= date && date <= to);
}

/** Finds the locations of a handle in a run. */
export async function findInRun(file: OpenFile, path: string, handle: string): Promise<HandlePlace[]> {
  const key = handleKey(handle);
  const { count, bits } = await readHead(file, path);
  const bucket = bucketOf(key, bits);
  const bounds = await file.read(headBytes + 4 * bucket, 8);
  const [start, end] = [bounds.readUInt32BE(0), bounds.readUInt32BE(4)];
  if (start > end || end > count) throw new ArchiveFailure("damaged", `the index ${path} is damaged`);
  const base = entriesOffset(bits);
  const places: HandlePlace[] = [];
  for (let at = start; at < end; at += entriesBatch) {
    const entries = await file.read(base + at * entryBytes, Math.min(entriesBatch, end - at) * entryBytes);
    for (let offset = 0; offset < entries.length; offset += entryBytes) {
      if (entries.compare(key, 0, handleBytes, offset, offset + handleBytes) !== 0) continue;
      places.push({
        date: dateAt(entries.readUInt16BE(offset + handleBytes) * dayMs),
        member: entries.readUInt32BE(offset + handleBytes + 2),
      });
    }
  }
  return places;
}

/** Adds the reservations of one day as a new run. */
export async function addDay(files: ArchiveFiles, directory: string, date: ArchiveDate, entries: readonly IndexEntry[]): Promise<void> {
  const sorted = entries.map(encodeEntry).sort(Buffer.compare);
  await files.makeDir(directory);
  await writeRun(files, directory, date, date, sorted.length, async function* () {
    yield* sorted;
  });
}

/** Merges runs of about equal length, newest first, and removes those that were merged. */
export async function mergeRuns(files: ArchiveFiles, directory: string): Promise<void> {
  for (;;) {
    const { runs, superseded } = runsIn(directory, await files.names(directory));
    if (superseded.length > 0) {
      for (const path of superseded) await files.remove(path);
      await files.syncDir(directory);
    }
    const [older, newer] = runs.slice(-2);
    if (older === undefined || newer === undefined) return;
    if (!(await mergeTwo(files, directory, older, newer))) return;
  }
}

/** Merges a run with the next one, and returns true. Returns false if it is more than twice as long. */
async function mergeTwo(files: ArchiveFiles, directory: string, older: IndexRun, newer: IndexRun): Promise<boolean> {
  const a = await openRun(files, older);
  try {
    const b = await openRun(files, newer);
    try {
      if (a.count > 2 * b.count) return false;
      await writeRun(files, directory, older.from, newer.to, a.count + b.count, () => merged(entriesOf(a), entriesOf(b)));
      return true;
    } finally {
      await b.file.close();
    }
  } finally {
    await a.file.close();
  }
}

/** All entries of a run. @throws {ArchiveFailure} if they are out of order */
export async function* entriesOfRun(files: ArchiveFiles, run: IndexRun): AsyncGenerator<{ key: Buffer } & HandlePlace> {
  const opened = await openRun(files, run);
  try {
    let before: Buffer | undefined;
    for await (const entry of entriesOf(opened)) {
      if (before !== undefined && before.compare(entry) > 0) throw new ArchiveFailure("damaged", `the index ${run.path} is out of order`);
      before = entry;
      yield {
        key: entry.subarray(0, handleBytes),
        date: dateAt(entry.readUInt16BE(handleBytes) * dayMs),
        member: entry.readUInt32BE(handleBytes + 2),
      };
    }
  } finally {
    await opened.file.close();
  }
}

interface OpenRun {
  file: OpenFile;
  path: string;
  count: number;
  bits: number;
}

async function openRun(files: ArchiveFiles, { path }: IndexRun): Promise<OpenRun> {
  const file = await files.open(path);
  if (file === undefined) throw new ArchiveFailure("unavailable", `the index ${path} is missing`);
  try {
    return { file, path, ...(await readHead(file, path)) };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function readHead(file: OpenFile, path: string): Promise<{ count: number; bits: number }> {
  const head = await file.read(0, headBytes);
  const [count, bits] = [head.readUInt32BE(8), head.readUInt8(12)];
  if (head.toString("latin1", 0, 8) !== magic || file.sizeBytes !== entriesOffset(bits) + count * entryBytes) {
    throw new ArchiveFailure("damaged", `the index ${path} is damaged`);
  }
  return { count, bits };
}

async function* entriesOf({ file, count, bits }: OpenRun): AsyncGenerator<Buffer> {
  for (let at = 0; at < count; at += entriesBatch) {
    const some = Math.min(entriesBatch, count - at);
    const bytes = await file.read(entriesOffset(bits) + at * entryBytes, some * entryBytes);
    for (let index = 0; index < some; index++) yield bytes.subarray(index * entryBytes, (index + 1) * entryBytes);
  }
}

async function* merged(a: AsyncGenerator<Buffer>, b: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  let [left, right] = [await a.next(), await b.next()];
  while (left.done !== true || right.done !== true) {
    if (right.done === true || (left.done !== true && left.value.compare(right.value) <= 0)) {
      yield left.value as Buffer;
      left = await a.next();
    } else {
      yield right.value;
      right = await b.next();
    }
  }
}

/** Writes a run. `entries` is called twice: the entries are counted first. */
async function writeRun(
  files: ArchiveFiles,
  directory: string,
  from: ArchiveDate,
  to: ArchiveDate,
  count: number,
  entries: () => AsyncGenerator<Buffer>,
): Promise<void> {
  const bits = Math.min(fanOutBitsMax, Math.max(0, Math.ceil(Math.log2(Math.max(1, count / bucketEntries)))));
  const fanOut = new Uint32Array(2 ** bits + 1);
  for await (const entry of entries()) {
    const next = bucketOf(entry, bits) + 1;
    fanOut[next] = (fanOut[next] ?? 0) + 1;
  }
  const head = Buffer.alloc(entriesOffset(bits));
  head.write(magic, "latin1");
  head.writeUInt32BE(count, 8);
  head.writeUInt8(bits, 12);
  let before = 0;
  for (const [index, own] of fanOut.entries()) {
    before += own;
    head.writeUInt32BE(before, headBytes + 4 * index);
  }
  const unfinished = `${directory}/${from}_${to}.${randomBytes(4).toString("hex")}${unfinishedSuffix}`;
  await files.write(unfinished, inChunks(head, entries()));
  await files.rename(unfinished, `${directory}/${from}_${to}.idx`);
  await files.syncDir(directory);
}

async function* inChunks(head: Buffer, entries: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  yield head;
  let chunk: Buffer[] = [];
  for await (const entry of entries) {
    if (chunk.push(entry) < entriesBatch) continue;
    yield Buffer.concat(chunk);
    chunk = [];
  }
  yield Buffer.concat(chunk);
}

function entriesOffset(bits: number): number {
  return headBytes + 4 * (2 ** bits + 1);
}

function bucketOf(key: Buffer, bits: number): number {
  return bits === 0 ? 0 : key.readUInt32BE(0) >>> (32 - bits);
}

function encodeEntry({ handle, date, member }: IndexEntry): Buffer {
  const bytes = Buffer.alloc(entryBytes);
  handleKey(handle).copy(bytes);
  bytes.writeUInt16BE(startOf(date) / dayMs, handleBytes);
  bytes.writeUInt32BE(member, handleBytes + 2);
  return bytes;
}
