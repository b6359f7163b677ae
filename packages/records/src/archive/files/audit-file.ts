import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import type { AuditEntry, ModeName } from "@petak/protocol";
import { archiveVersions } from "../../data-version/data-versions.ts";
import { isAfter } from "../../encoding/stream-entry.ts";
import { ArchiveFailure } from "./archive-failure.ts";
import type { ArchiveFiles } from "./archive-files.ts";
import { type ArchiveLayout, damagedSuffix, unfinishedSuffix } from "./archive-layout.ts";
import { auditLine, readAuditEntry } from "./archive-line.ts";
import { requireArchiveVersion } from "./archive-version.ts";

/**
 * A file with consecutive administrative changes of one network, in gzip: a line with its {@link AuditFileHead}, then a line for each entry. Its name is the id of
 * the entry after which it begins, which only one writer can create. So the files of a network are a chain, in which a missing one shows.
 */
export interface AuditFile {
  mode: ModeName;
  path: string;
  /** The id of the last entry of the file before. */
  after: string;
}

/** The first line of a file. */
interface AuditFileHead {
  version: number;
  mode: ModeName;
  after: string;
  /** The id of its last entry. */
  until: string;
  entries: number;
  /** SHA-256 of the lines after this one, in hexadecimal digits. */
  sha256: string;
}

/** The entries of a file. */
export interface ReadAuditFile {
  until: string;
  entries: AuditEntry[];
}

const compress = promisify(gzip);
const decompress = promisify(gunzip);

/** The most bytes of a decompressed file: far more than is written, and safe for the process. */
const fileMaxBytes = 64 * 1024 * 1024;

/** The file that begins after an entry, whether it exists or not. */
export function auditFileAfter(layout: ArchiveLayout, mode: ModeName, after: string): AuditFile {
  return { mode, after, path: join(layout.auditDir(mode), `${after}.ndjson.gz`) };
}

/** The files of a network, in order. */
export async function auditFiles(files: ArchiveFiles, layout: ArchiveLayout, mode: ModeName): Promise<AuditFile[]> {
  return (await files.names(layout.auditDir(mode)))
    .flatMap((name) => /^(\d{1,15}-\d{1,15})\.ndjson\.gz$/.exec(name)?.[1] ?? [])
    .map((after) => auditFileAfter(layout, mode, after))
    .sort((one, other) => (isAfter(one.after, other.after) ? 1 : -1));
}

/** Writes entries, at least one, unless a file that begins after the same entry exists. */
export async function writeAuditFile(
  files: ArchiveFiles,
  layout: ArchiveLayout,
  { mode, path, after }: AuditFile,
  entries: readonly AuditEntry[],
  attempt: string,
): Promise<void> {
  const lines = entries.map((entry) => `${auditLine(entry)}\n`).join("");
  const until = entries.at(-1)?.entryId ?? after;
  const head: AuditFileHead = { version: archiveVersions.written, mode, after, until, entries: entries.length, sha256: sha256Of(lines) };
  const directory = layout.auditDir(mode);
  const unfinished = `${path}.${attempt}${unfinishedSuffix}`;
  await files.makeDir(directory);
  await files.write(unfinished, [await compress(`${JSON.stringify(head)}\n${lines}`)]);
  await files.linkNew(unfinished, path);
  await files.syncDir(directory);
  // Also those that crashed attempts have left of other files. Somebody may be about to give this one its name.
  const left = (await files.names(directory)).filter((name) => name.endsWith(unfinishedSuffix) && !name.startsWith(basename(path)));
  for (const name of [basename(unfinished), ...left]) await files.remove(join(directory, name));
}

/** Reads a file and compares it with its head. @throws {ArchiveFailure} if it is missing or damaged */
export async function readAuditFile(files: ArchiveFiles, { mode, path, after }: AuditFile): Promise<ReadAuditFile> {
  const bytes = await files.read(path);
  if (bytes === undefined) throw new ArchiveFailure("unavailable", `${path} is missing`);
  const damaged = (why: string, cause?: unknown) => new ArchiveFailure("damaged", `${path} is damaged: ${why}`, { cause });
  try {
    const text = (await decompress(bytes, { maxOutputLength: fileMaxBytes })).toString();
    const end = text.indexOf("\n") + 1;
    const head = JSON.parse(text.slice(0, end)) as Partial<AuditFileHead>;
    requireArchiveVersion(path, head.version);
    const lines = text.slice(end);
    if (head.mode !== mode || head.after !== after) throw damaged("it is another file");
    if (head.sha256 !== sha256Of(lines)) throw damaged("its lines do not have the SHA-256 in its head");
    const entries = lines.slice(0, -1).split("\n").map(readAuditEntry);
    const inOrder = entries.every(({ entryId }, index) => isAfter(entryId, entries[index - 1]?.entryId ?? after));
    const until = entries.at(-1)?.entryId;
    if (entries.length !== head.entries || until === undefined || until !== head.until || !inOrder) {
      throw damaged("its entries are not those that its head says");
    }
    return { until, entries };
  } catch (error) {
    throw error instanceof ArchiveFailure ? error : damaged((error as Error).message, error);
  }
}

/** Renames a damaged file whose entries are still in the store, so that it is written again. */
export async function discardAuditFile(
  files: ArchiveFiles,
  layout: ArchiveLayout,
  { mode, path }: AuditFile,
  attempt: string,
): Promise<void> {
  await files.rename(path, `${path}.${attempt}${damagedSuffix}`);
  await files.syncDir(layout.auditDir(mode));
}

/** The files of a network with their entries, in order. A file that cannot be read, or before which one is missing, is returned as a problem as well. */
export async function* archivedAudit(
  files: ArchiveFiles,
  layout: ArchiveLayout,
  mode: ModeName,
): AsyncGenerator<ReadAuditFile | { problem: string }> {
  let last: string | undefined;
  for (const file of await auditFiles(files, layout, mode)) {
    if (last !== undefined && file.after !== last) {
      yield { problem: `${file.path}: the file before it is missing; it begins after ${last} or later` };
    }
    try {
      const read = await readAuditFile(files, file);
      last = read.until;
      yield read;
    } catch (error) {
      last = undefined;
      yield { problem: (error as Error).message };
    }
  }
}

function sha256Of(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
