import { randomUUID } from "node:crypto";
import { toBinary } from "@bufbuild/protobuf";
import { type AuditEntry, AuditEntrySchema, type ModeName } from "@petak/protocol";
import type { AuditLog } from "../audit/audit-log.ts";
import { entryTimeMs, isAfter } from "../encoding/stream-entry.ts";
import { ArchiveFailure } from "./files/archive-failure.ts";
import type { ArchiveFiles } from "./files/archive-files.ts";
import type { ArchiveLayout } from "./files/archive-layout.ts";
import { type AuditFile, auditFileAfter, discardAuditFile, type ReadAuditFile, readAuditFile, writeAuditFile } from "./files/audit-file.ts";

/** The options of archiving administrative changes. */
export interface AuditArchiverOptions {
  auditLog: Pick<AuditLog, "read" | "archivedUntil" | "markArchived">;
  files: ArchiveFiles;
  layout: ArchiveLayout;
  onArchived?: (entries: number) => void;
  /** Called with an error of one network. */
  onFailure: (error: unknown) => void;
}

/** How old the first entry of a file becomes before the file is written, in ms: an hour, so that there are few files, and a disaster takes little. */
export const auditFileAgeMs = 3_600_000;

/** The most entries of a file, with which it is written at once: some 500 kB. */
const fileEntriesMax = 1000;

/**
 * Copies administrative changes to the archive. They stay in the store, and may be dropped there from then on. Any number of gateways may do so: the file after an
 * entry exists once, whoever wrote it, and what it says counts only once it was read back and has all that the store has.
 *
 * @param timeMs the earlier of the gateway's and the server's time, in ms since 1970
 * @returns for how long the oldest entry has been due, in ms
 */
export async function archiveAudit(options: AuditArchiverOptions, timeMs: number): Promise<number> {
  let lagMs = 0;
  for (const mode of ["live", "test"] as const) {
    try {
      while (await archiveNext(options, mode, timeMs));
    } catch (error) {
      // The failure of one network must not prevent the archiving of the other.
      options.onFailure(error);
    }
    const [first] = await unarchived(options, mode, await options.auditLog.archivedUntil(mode), 1);
    if (first !== undefined) lagMs = Math.max(lagMs, timeMs - auditFileAgeMs - entryTimeMs(first.entryId));
  }
  return lagMs;
}

/** Archives the next entries of a network if they are due. Returns whether they were. */
async function archiveNext(options: AuditArchiverOptions, mode: ModeName, timeMs: number): Promise<boolean> {
  const { auditLog, files, layout, onArchived } = options;
  const after = await auditLog.archivedUntil(mode);
  const entries = await unarchived(options, mode, after, fileEntriesMax);
  const [first] = entries;
  if (first === undefined) return false;
  if (entries.length < fileEntriesMax && entryTimeMs(first.entryId) + auditFileAgeMs > timeMs) return false;
  const file = auditFileAfter(layout, mode, after);
  await writeAuditFile(files, layout, file, entries, randomUUID());
  const read = await readBack(options, file);
  refuseOther(file, read, entries);
  await auditLog.markArchived(mode, after, read.until);
  onArchived?.(read.entries.length);
  return true;
}

async function unarchived({ auditLog }: AuditArchiverOptions, mode: ModeName, after: string, count: number): Promise<AuditEntry[]> {
  const page = await auditLog.read({ mode, after, count, fromMs: undefined, toMs: undefined, matches: () => true });
  return page.entries;
}

/** Reads a file. One that is damaged is set aside, since the store still has its entries, and is written again in the next round. */
async function readBack({ files, layout, auditLog }: AuditArchiverOptions, file: AuditFile): Promise<ReadAuditFile> {
  try {
    return await readAuditFile(files, file);
  } catch (error) {
    const isStillStored = (await auditLog.archivedUntil(file.mode)) === file.after;
    if (error instanceof ArchiveFailure && error.kind === "damaged" && isStillStored) {
      await discardAuditFile(files, layout, file, randomUUID());
    }
    throw error;
  }
}

/** Throws unless a file has each stored entry up to its last one. It may have more: those of calls that were cut off may have been completed since. */
function refuseOther({ path }: AuditFile, read: ReadAuditFile, stored: readonly AuditEntry[]): void {
  const inFile = new Map(read.entries.map((entry) => [entry.entryId, toBinary(AuditEntrySchema, entry)]));
  for (const entry of stored) {
    if (isAfter(entry.entryId, read.until)) return;
    const archived = inFile.get(entry.entryId);
    if (archived !== undefined && Buffer.compare(archived, toBinary(AuditEntrySchema, entry)) === 0) continue;
    throw new ArchiveFailure("damaged", `${path} differs from the store at entry ${entry.entryId}; nothing was dropped`);
  }
}
