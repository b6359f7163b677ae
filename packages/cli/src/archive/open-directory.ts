import { existsSync } from "node:fs";
import { join } from "node:path";
import { type ArchiveLayout, createLayout } from "@petak/records";
import { CliFailure } from "../failure.ts";
import { readConfig } from "../serve/config-options.ts";
import type { Session } from "../session.ts";

/** Where an archive is: options, else what configures the gateway. */
export interface ArchiveLocation {
  archiveDir?: string;
  dataDir?: string;
  config?: string;
  prefix: string;
}

/** Finds an archive. Throws a CliFailure where there is none. */
export function openDirectory({ io, resolve }: Session, { prefix, ...options }: ArchiveLocation): ArchiveLayout {
  const { archiveDir, dataDir } = readConfig({ ...options }, io);
  const directory = archiveDir === "" ? join(resolve(dataDir), "archive") : resolve(archiveDir);
  const layout = createLayout(directory, prefix);
  if (existsSync(layout.identity)) return layout;
  throw new CliFailure(`${layout.root} is no archive. Check --archive-dir and --prefix.`, { reason: "no-archive" });
}
