import { join } from "node:path";
import { parseReservationId, type Region } from "@petak/protocol";
import type { ArchiveFiles, OpenFile } from "./archive-files.ts";
import { type ArchiveLayout, dateOfName } from "./archive-layout.ts";
import { reservationsIn } from "./archive-line.ts";
import type { DayManifest } from "./day-manifest.ts";
import { addDay, type IndexEntry, mergeRuns } from "./handle-index.ts";
import { openData, readManifest, readMember } from "./read-day.ts";

/** Adds the reservations of a day to its region's index. */
export async function indexDay(files: ArchiveFiles, layout: ArchiveLayout, file: OpenFile, manifest: DayManifest): Promise<void> {
  const { region, date } = manifest;
  const entries: IndexEntry[] = [];
  for (const [member, facts] of manifest.members.entries()) {
    if (facts.reservations === 0) continue;
    for (const { reservation } of reservationsIn(await readMember(file, manifest, facts))) {
      entries.push({ handle: parseReservationId(reservation.reservationId)?.handle ?? "", date, member });
    }
  }
  await addDay(files, layout.indexDir(region), date, entries);
}

/** Rebuilds a region's index from its days. No gateway may archive meanwhile. */
export async function rebuildIndex(files: ArchiveFiles, layout: ArchiveLayout, region: Region): Promise<void> {
  const directory = layout.indexDir(region);
  for (const name of await files.names(directory)) await files.remove(join(directory, name));
  const dates = (await files.names(layout.regionDir(region))).flatMap((name) => dateOfName(name) ?? []).sort();
  for (const date of dates) {
    const manifest = await readManifest(files, layout, region, date);
    if (manifest === undefined) continue;
    const file = await openData(files, layout, manifest);
    try {
      await indexDay(files, layout, file, manifest);
    } finally {
      await file.close();
    }
    await mergeRuns(files, directory);
  }
}
