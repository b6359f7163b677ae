import type { PlainRoute } from "../../transport/index.ts";
import { type BuilderDependencies, createBuilder } from "./builder.ts";
import type { DirectoryOptions } from "./options.ts";
import { createPublishedDirectory, type PublishedDirectory } from "./published-directory.ts";
import { createDirectoryRoutes } from "./routes.ts";

/** The open directory of a gateway. */
export interface OpenDirectory {
  readonly published: PublishedDirectory;
  readonly routes: ReadonlyMap<string, PlainRoute>;
}

/** Settings of the open directory, as a gateway has them. */
export interface OpenDirectorySettings {
  /** The licence of the data, see {@link DirectoryOptions}. Default, and if empty: there is no open directory. */
  openDirectoryLicence?: string;
  openDirectoryPublisher?: string;
  openDirectorySitePage?: string;
  /** Operators whose sites are left out, by id, separated by commas. */
  openDirectoryLeavesOut?: string;
  /** Whether an operator's sites are left out besides, by its id. Asked each time, since an operator may come later. Default: none. */
  openDirectoryHides?: (operatorId: string) => boolean;
  /** Which network is published. `test` is for demonstrations, which have no other, and the files say so. Default `live`. */
  openDirectoryNetwork?: "live" | "test";
}

/** Creates the open directory. Undefined if none is to be published. */
export function createOpenDirectory(
  dependencies: Omit<BuilderDependencies, "options"> & { onFailure: (error: Error) => void },
  {
    openDirectoryLicence = "",
    openDirectoryPublisher = "",
    openDirectorySitePage = "",
    openDirectoryLeavesOut = "",
    openDirectoryHides = () => false,
    openDirectoryNetwork = "live",
  }: OpenDirectorySettings,
): OpenDirectory | undefined {
  if (openDirectoryLicence === "") return undefined;
  const named = new Set(openDirectoryLeavesOut.split(",").filter((id) => id !== ""));
  const leftOut = { has: (operatorId: string) => named.has(operatorId) || openDirectoryHides(operatorId) };
  const options: DirectoryOptions = {
    licence: openDirectoryLicence,
    publisher: openDirectoryPublisher,
    sitePage: openDirectorySitePage,
    network: openDirectoryNetwork,
    leftOut,
  };
  const { now, onFailure } = dependencies;
  const published = createPublishedDirectory({ build: createBuilder({ ...dependencies, options }), now, onFailure });
  return { published, routes: createDirectoryRoutes(published, options, now) };
}
