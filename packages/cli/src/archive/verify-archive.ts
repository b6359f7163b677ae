import {
  type ArchiveLayout,
  type ArchiveProblem,
  archivedAudit,
  archivedDays,
  archivedRegions,
  checkDay,
  checkFeeds,
  checkIndex,
  type DayManifest,
  diskFiles,
  rebuildIndex,
} from "@petak/records";
import { CliFailure } from "../failure.ts";
import type { Session } from "../session.ts";
import { formatCount, formatMegabytes } from "../terminal/progress.ts";
import { type ArchiveLocation, openDirectory } from "./open-directory.ts";

/** Verifies a whole archive. Throws a CliFailure at the end if anything differs from what was written. */
export async function verifyArchive(session: Session, options: ArchiveLocation & { rebuildIndex?: boolean }): Promise<void> {
  const { output } = session;
  const layout = await openDirectory(session, options);
  if (options.rebuildIndex === true) {
    const regions = await archivedRegions(diskFiles, layout);
    const progress = output.progress("Indexing", regions.length, "regions");
    for (const [index, region] of regions.entries()) {
      await rebuildIndex(diskFiles, layout, region);
      progress.update(index + 1);
    }
    progress.finish();
  }

  const days: DayManifest[] = [];
  const problems: ArchiveProblem[] = [];
  for await (const day of archivedDays(diskFiles, layout)) {
    if ("problem" in day) problems.push(day);
    else days.push(day);
  }
  const totalBytes = days.reduce((sum, { bytes }) => sum + bytes, 0);
  const progress = output.progress("Verifying", totalBytes, formatMegabytes);
  let doneBytes = 0;
  for (const ofRegion of Map.groupBy(days, ({ region }) => region).values()) {
    for (const day of ofRegion) {
      problems.push(...(await checkDay(diskFiles, layout, day)));
      doneBytes += day.bytes;
      progress.update(doneBytes);
    }
    problems.push(...(await checkIndex(diskFiles, layout, ofRegion)));
  }
  problems.push(...(await checkFeeds(diskFiles, layout)));
  const audit = await checkAudit(layout);
  problems.push(...audit.problems);
  progress.finish();

  const events = days.reduce((sum, day) => sum + day.events, 0);
  const reservations = days.reduce((sum, day) => sum + day.reservations, 0);
  const result = { days: days.length, events, reservations, auditEntries: audit.entries, bytes: totalBytes, problems };
  const counted = `${formatCount(days.length)} days, ${formatCount(events)} events, ${formatCount(reservations)} reservations, ${formatCount(audit.entries)} administrative changes`;
  if (problems.length === 0) {
    output.json(result);
    output.print(`The archive is intact: ${counted}, ${formatMegabytes(totalBytes)}.`);
    return;
  }
  for (const { region, date, problem } of problems)
    output.print(`${region ?? "file"} ${date ?? (region === undefined ? "" : "index")}: ${problem}`);
  throw new CliFailure(`${problems.length} problems in ${counted}. Restore the named files from a copy; see docs/retention.md.`, {
    reason: "archive-damaged",
    result,
  });
}

/** Reads all administrative changes, and counts them. */
async function checkAudit(layout: ArchiveLayout): Promise<{ entries: number; problems: ArchiveProblem[] }> {
  const checked = { entries: 0, problems: [] as ArchiveProblem[] };
  for (const mode of ["live", "test"] as const) {
    for await (const file of archivedAudit(diskFiles, layout, mode)) {
      if ("problem" in file) checked.problems.push(file);
      else checked.entries += file.entries.length;
    }
  }
  return checked;
}
