import type { DataVersions } from "./data-versions.ts";

/** This release must not use data because of its version. The message is one sentence: the version, the versions this release reads, what to do. */
export class DataVersionError extends Error {
  override readonly name = "DataVersionError";
}

/**
 * Why a release cannot read data of a version, as one sentence without its full stop. Undefined: it can.
 *
 * @param what names the data, e.g. `the data in Redis`
 * @param instead what to do in place of starting another release, e.g. `give this one an empty Redis`
 */
export function whyUnreadable(
  what: string,
  version: { oldest: number; newest: number },
  { oldestRead, newestRead }: DataVersions,
  instead: string,
): string | undefined {
  const isNewer = version.newest > newestRead;
  if (!isNewer && version.oldest >= oldestRead) return undefined;
  const found = isNewer ? version.newest : version.oldest;
  const reads = oldestRead === newestRead ? `only version ${newestRead}` : `versions ${oldestRead} to ${newestRead}`;
  return `${what} has version ${found} and this release reads ${reads}: start ${isNewer ? "a later" : "an earlier"} release that reads version ${found}, or ${instead}`;
}
