import { randomBytes } from "node:crypto";
import { ArchiveFailure } from "./files/archive-failure.ts";
import type { ArchiveFiles } from "./files/archive-files.ts";
import { type ArchiveLayout, unfinishedSuffix } from "./files/archive-layout.ts";
import type { RegionArchive } from "./region-archive.ts";

/** The id that a directory has as an archive, or undefined. */
export async function directoryId(files: ArchiveFiles, layout: ArchiveLayout): Promise<string | undefined> {
  const bytes = await files.read(layout.identity);
  if (bytes === undefined) return undefined;
  try {
    const { version, id } = JSON.parse(bytes.toString()) as { version?: unknown; id?: unknown };
    if (version === 1 && typeof id === "string") return id;
  } catch {
    // Said below.
  }
  throw new ArchiveFailure("damaged", `${layout.identity} does not say whose archive it is`);
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
  await files.write(unfinished, [Buffer.from(`${JSON.stringify({ version: 1, id })}\n`)]);
  await files.linkNew(unfinished, layout.identity);
  await files.remove(unfinished);
  await files.syncDir(layout.root);
  // Another may have been faster.
  return await directoryId(files, layout);
}
