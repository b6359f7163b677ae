import { type ArchiveProblem, archivedDays, type DayManifest, diskFiles } from "@petak/records";
import { CliFailure } from "../failure.ts";
import type { Session } from "../session.ts";
import { formatCount, formatMegabytes } from "../terminal/progress.ts";
import { type ArchiveLocation, openDirectory } from "./open-directory.ts";

/** Lists the days of an archive. Throws a CliFailure at the end if any cannot be read. */
export async function listDays(session: Session, options: ArchiveLocation & { region?: string }): Promise<void> {
  const { output } = session;
  const layout = await openDirectory(session, options);
  const progress = output.progress("Listing", 0, "days");
  const days: DayManifest[] = [];
  const problems: ArchiveProblem[] = [];
  for await (const day of archivedDays(diskFiles, layout)) {
    if (options.region !== undefined && day.region !== options.region) continue;
    if ("problem" in day) problems.push(day);
    else days.push(day);
    progress.update(days.length);
  }
  progress.finish();
  const result = {
    days: days.map(({ region, date, events, reservations, bytes }) => ({ region, date, events, reservations, bytes })),
    ...(problems.length > 0 ? { problems } : {}),
  };
  if (problems.length === 0) output.json(result);
  if (days.length === 0 && problems.length === 0) {
    const where = options.region === undefined ? "" : ` of region ${options.region}`;
    output.print(`No days${where}: nothing has been archived yet.`);
    return;
  }
  output.table(
    [
      { title: "REGION", paint: output.colors.cyan },
      { title: "DATE" },
      { title: "EVENTS", align: "right" },
      { title: "RESERVATIONS", align: "right" },
      { title: "SIZE", align: "right" },
    ],
    days.map(({ region, date, events, reservations, bytes }) => [
      region,
      date,
      formatCount(events),
      formatCount(reservations),
      formatMegabytes(bytes),
    ]),
  );
  const [first] = problems;
  if (first === undefined) return;
  throw new CliFailure(`${problems.length} days cannot be read. The first: ${first.problem}. Run \`petak archive verify\`.`, {
    reason: "archive-damaged",
    result,
  });
}
