import { existsSync } from "node:fs";
import { join } from "node:path";
import { type ArchiveLayout, createLayout, DataVersionError, diskFiles, requireReadableArchive } from "@petak/records";
import { CliFailure } from "../failure.ts";
import { readConfig } from "../serve/config-options.ts";
import type { Session } from "../session.ts";

/** Location of an archive. Default: the gateway's configuration. */
export interface ArchiveLocation {
  archiveDir?: string;
  dataDir?: string;
  config?: string;
  prefix: string;
}

/** Finds an archive. Throws a CliFailure where there is none, or where it has a version that this release does not read. */
export async function openDirectory({ io, resolve }: Session, { prefix, ...options }: ArchiveLocation): Promise<ArchiveLayout> {
  const { archiveDir, dataDir } = readConfig({ ...options }, io);
  const directory = archiveDir === "" ? join(resolve(dataDir), "archive") : resolve(archiveDir);
  const layout = createLayout(directory, prefix);
  if (!existsSync(layout.identity)) {
    throw new CliFailure(`${layout.root} is not an archive. Check --archive-dir and --prefix.`, { reason: "no-archive" });
  }
  try {
    await requireReadableArchive(diskFiles, layout);
  } catch (error) {
    if (!(error instanceof DataVersionError)) throw error;
    throw new CliFailure(error.message, { reason: "data-version", cause: error });
  }
  return layout;
}
