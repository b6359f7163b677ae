import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { create, toJson } from "@bufbuild/protobuf";
import { type Timestamp, timestampDate, timestampFromDate } from "@bufbuild/protobuf/wkt";
import { GetManifestResponseSchema, type ManifestEntry, type ManifestSite, ManifestTask } from "@petak/protocol";
import type { Command } from "commander";
import type { CommandModule } from "../command.ts";
import { usageFailure } from "../failure.ts";
import { unreadableFile } from "../file-failure.ts";
import { csvLine } from "../manifest/csv-line.ts";
import { readManifest, sitesWithReservations } from "../manifest/read-manifest.ts";
import type { Session } from "../session.ts";
import type { Output } from "../terminal/output.ts";
import { idsOf } from "./id-argument.ts";
import { instantParser } from "./instant.ts";
import { wordsOf } from "./words.ts";

const tasks = wordsOf(ManifestTask);

interface Options {
  route?: string;
  before?: Date;
  csv?: boolean;
}

const examples = `
Examples:
  petak manifest                                          all your sites with something to do, by id
  petak manifest site_… site_…                            these, in the order of the route
  petak manifest --route tour-7.txt --csv > tour-7.csv    a site a line; for a spreadsheet or the driver's app
  petak manifest --before 2026-11-06T00:00+08:00          only what is due today

Tasks: bring a confirmed parcel; collect one that was deposited for you; take back one that is overdue.`;

/** `petak manifest`: what a courier has to bring to sites, and to take from them. */
export const registerManifest: CommandModule = (command, context) => {
  command
    .argument("[site...]", "site_…, in the order in which they are visited (default: all with something to do)", idsOf("site"))
    .option("--route <file>", "the sites in a file, one a line, in the order of the route; - for standard input")
    .option("--before <time>", "only what is due before this, e.g. 2026-11-06T00:00+08:00 or +8h", instantParser(context.io))
    .option("--csv", "print CSV, in which no cell is a formula")
    .addHelpText("after", examples)
    .action(async (named: string[], { route, before, csv }: Options, running: Command) => {
      const session = context.session(running);
      const { output } = session;
      if (csv === true && output.isJson) throw usageFailure("--csv and --json are two forms of the same. Give one of them.");
      if (route !== undefined && named.length > 0) throw usageFailure("Name the sites, or give them in a file by --route.");
      const given = route === undefined ? named : await readRoute(session, route);
      const { client } = await session.connect();
      const siteIds = given.length > 0 ? [...new Set(given)] : await sitesWithReservations(client);
      const read = await readManifest(client, siteIds, before && timestampFromDate(before));
      // Who names a route wants to see that there is nothing to do at a stop of it.
      const sites = given.length > 0 ? read : read.filter(({ entries }) => entries.length > 0);
      output.json(toJson(GetManifestResponseSchema, create(GetManifestResponseSchema, { sites })));
      if (csv === true) printCsv(output, sites);
      else printTable(output, sites);
    });
};

async function readRoute({ io, resolve }: Session, file: string): Promise<string[]> {
  const content =
    file === "-"
      ? await text(io.stdin())
      : await readFile(resolve(file), "utf8").catch((cause: Error) => {
          throw unreadableFile(file, cause);
        });
  const siteIds = content.split(/\s+/).filter((word) => word !== "");
  const wrong = siteIds.find((word) => !word.startsWith("site_"));
  if (wrong !== undefined) throw usageFailure(`${file} has "${wrong}", which is no site. Write one id a line, site_….`);
  if (siteIds.length === 0) throw usageFailure(`${file} names no site. Write one id a line, site_….`);
  return siteIds;
}

function printTable(output: Output, sites: readonly ManifestSite[]): void {
  if (sites.length === 0) {
    output.print("Nothing to bring or to take.");
    return;
  }
  output.table(
    [
      { title: "STOP", align: "right" },
      { title: "SITE", flexible: true, paint: output.colors.bold },
      { title: "TASK" },
      { title: "RESERVATION", paint: output.colors.cyan },
      { title: "SIZE" },
      { title: "DOOR" },
      { title: "DUE" },
      { title: "REFERENCE OR LABEL", flexible: true },
    ],
    sites.flatMap(({ name, entries }, index) => {
      const stop = [String(index + 1), name];
      return entries.length === 0 ? [[...stop, "nothing", "", "", "", "", ""]] : entries.map((entry) => [...stop, ...cellsOf(entry)]);
    }),
  );
}

function cellsOf(entry: ManifestEntry): string[] {
  const { reservationId, sizeClassId, compartmentId, dueAt, partnerReference, labelCodes } = entry;
  return [taskText(entry), reservationId, sizeClassId, compartmentId, minuteOf(dueAt), partnerReference || labelCodes.join(" ")];
}

function taskText({ task, cannotBeKept }: ManifestEntry): string {
  return `${tasks.of(task)}${cannotBeKept ? ", cannot be kept" : ""}`;
}

const columns =
  "stop,site_id,site,address,latitude,longitude,task,cannot_be_kept,reservation_id,bundle_id,size,door,due_at,reference,label_codes";

function printCsv(output: Output, sites: readonly ManifestSite[]): void {
  output.print(columns);
  for (const [index, { siteId, name, address, position, entries }] of sites.entries()) {
    const where = [...(address?.lines ?? []), address?.postalCode, address?.locality].filter(Boolean).join(", ");
    for (const entry of entries) {
      const { task, cannotBeKept, reservationId, bundleId, sizeClassId, compartmentId, dueAt, partnerReference, labelCodes } = entry;
      output.print(
        csvLine([
          ...[index + 1, siteId, name, where, position?.latitude ?? "", position?.longitude ?? ""],
          ...[tasks.of(task), cannotBeKept ? "yes" : "no", reservationId, bundleId, sizeClassId, compartmentId],
          ...[dueAt === undefined ? "" : timestampDate(dueAt).toISOString(), partnerReference, labelCodes.join(" ")],
        ]),
      );
    }
  }
}

function minuteOf(time: Timestamp | undefined): string {
  return time === undefined ? "" : `${timestampDate(time).toISOString().slice(0, 16)}Z`;
}
