import { randomBytes } from "node:crypto";
import { DataVersionError } from "../data-version/data-version-error.ts";
import { archiveVersions } from "../data-version/data-versions.ts";
import { ArchiveFailure } from "./files/archive-failure.ts";
import type { ArchiveFiles } from "./files/archive-files.ts";
import { type ArchiveLayout, unfinishedSuffix } from "./files/archive-layout.ts";
import { requireArchiveVersion } from "./files/archive-version.ts";
import type { RegionArchive } from "./region-archive.ts";

/**
 * The id of the archive in a directory, or undefined.
 *
 * @throws {ArchiveFailure} if the file with the id is damaged, or of a version that this release does not read
 */
export async function directoryId(files: ArchiveFiles, layout: ArchiveLayout): Promise<string | undefined> {
  const bytes = await files.read(layout.identity);
  if (bytes === undefined) return undefined;
  const { version, id } = parse(bytes);
  requireArchiveVersion(layout.identity, version);
  if (typeof version === "number" && typeof id === "string") return id;
  throw new ArchiveFailure("damaged", `${layout.identity} is damaged: it contains no archive id`);
}

function parse(bytes: Buffer): { version?: unknown; id?: unknown } {
  try {
    const content: unknown = JSON.parse(bytes.toString());
    return typeof content === "object" && content !== null ? content : {};
  } catch {
    return {};
  }
}

/**
 * Refuses an archive of a version that this release does not read. An archive that cannot be looked at passes: it is refused when it is used.
 *
 * @throws {DataVersionError}
 */
export async function requireReadableArchive(files: ArchiveFiles, layout: ArchiveLayout): Promise<void> {
  try {
    await directoryId(files, layout);
  } catch (error) {
    if (error instanceof ArchiveFailure && error.kind === "unreadable") throw new DataVersionError(`${error.message}.`, { cause: error });
  }
}

/**
 * Checks that a directory is the archive of the store, by an id that both have. If neither has one yet, both get one. A directory that is not mounted or not shared
 * is empty: nothing must be looked up in it or written to it.
 *
 * @throws {ArchiveFailure} if it is another directory.
 */
export async function requireIdentity(files: ArchiveFiles, layout: ArchiveLayout, records: RegionArchive): Promise<void> {
  const known = await records.identity();
  let found = await directoryId(files, layout);
  if (found === undefined && known === undefined) found = await giveIdentity(files, layout);
  const expected = known ?? (found === undefined ? undefined : await records.claimIdentity(found));
  if (found === expected) return;
  const actual = found === undefined ? "is empty" : `is the archive ${found}`;
  throw new ArchiveFailure(
    "unavailable",
    `${layout.root} ${actual}, but the archive of this store is ${expected}: the directory is not mounted, or is not the one that all gateways share`,
  );
}

async function giveIdentity(files: ArchiveFiles, layout: ArchiveLayout): Promise<string | undefined> {
  await files.makeDir(layout.root);
  const id = randomBytes(16).toString("hex");
  const unfinished = `${layout.identity}.${id}${unfinishedSuffix}`;
  try {
    await files.write(unfinished, [Buffer.from(`${JSON.stringify({ version: archiveVersions.written, id })}\n`)]);
    await files.linkNew(unfinished, layout.identity);
  } finally {
    await files.remove(unfinished);
  }
  await files.syncDir(layout.root);
  // Another gateway may have been faster.
  return await directoryId(files, layout);
}
