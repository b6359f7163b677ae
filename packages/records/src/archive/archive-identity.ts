import { randomBytes } from "node:crypto";
import { DataVersionError } from "../data-version/data-version-error.ts";
import { archiveVersions } from "../data-version/data-versions.ts";
import { ArchiveFailure } from "./files/archive-failure.ts";
import type { ArchiveFiles } from "./files/archive-files.ts";
import { type ArchiveLayout, unfinishedSuffix } from "./files/archive-layout.ts";
import { requireArchiveVersion } from "./files/archive-version.ts";
import type { RegionArchive } from "./region-archive.ts";

/**
 * The id that a directory has as an archive, or undefined.
 *
 * @throws {ArchiveFailure} where its identity file is damaged, or of a version that this release does not read.
 */
export async function directoryId(files: ArchiveFiles, layout: ArchiveLayout): Promise<string | undefined> {
  const bytes = await files.read(layout.identity);
  if (bytes === undefined) return undefined;
  const { version, id } = parse(bytes);
  requireArchiveVersion(layout.identity, version);
  if (typeof version === "number" && typeof id === "string") return id;
  throw new ArchiveFailure("damaged", `${layout.identity} does not say whose archive it is`);
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
 * Sees that a directory is the archive of these records: one that is not mounted, or that another gateway does not share, is empty, and nothing
 * must be looked up there or written to it. Where neither has an id yet, both get one.
 *
 * @throws {ArchiveFailure} where it is not.
 */
export async function requireIdentity(files: ArchiveFiles, layout: ArchiveLayout, records: RegionArchive): Promise<void> {
  const known = await records.identity();
  let found = await directoryId(files, layout);
  if (found === undefined && known === undefined) found = await giveIdentity(files, layout);
  const expected = known ?? (found === undefined ? undefined : await records.claimIdentity(found));
  if (found === expected) return;
  const what = found === undefined ? "is empty" : `is the archive ${found}`;
  throw new ArchiveFailure(
    "away",
    `${layout.root} ${what}, and the archive of these records is ${expected}: it is not mounted, or not the directory that all gateways share`,
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
  // Another may have been faster.
  return await directoryId(files, layout);
}
