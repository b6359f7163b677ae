import { whyUnreadable } from "../../data-version/data-version-error.ts";
import { archiveVersions } from "../../data-version/data-versions.ts";
import { ArchiveFailure } from "./archive-failure.ts";

/**
 * Refuses a file of an archive whose version this release does not read. What is no version is for the caller to judge.
 *
 * @throws {ArchiveFailure} `unreadable`
 */
export function requireArchiveVersion(what: string, version: unknown): void {
  if (typeof version !== "number") return;
  const why = whyUnreadable(what, { oldest: version, newest: version }, archiveVersions, "give this one another archiveDir and Redis");
  if (why !== undefined) throw new ArchiveFailure("unreadable", why);
}
