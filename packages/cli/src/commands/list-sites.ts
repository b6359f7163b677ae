import { toJson } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import type { PetakClient } from "@petak/client/node";
import { fromConnectError, type ListSitesResponse, type Site, SiteLifecycle, SiteSchema, SiteTombstoneSchema } from "@petak/protocol";
import type { Command } from "commander";
import type { CommandContext } from "../command.ts";
import { readCursor, writeCursor } from "../cursor-file.ts";
import { CliFailure } from "../failure.ts";
import type { Output } from "../terminal/output.ts";
import { collectCountries } from "./find-requirements.ts";
import { idsOf } from "./id-argument.ts";

/** Sites per call: the protocol's limit. */
const pageSize = 500;

const phases: Readonly<Partial<Record<SiteLifecycle, string>>> = {
  [SiteLifecycle.PLANNED]: "planned",
  [SiteLifecycle.ACTIVE]: "in service",
  [SiteLifecycle.MAINTENANCE]: "paused",
};

interface Options {
  since?: string;
  country?: string[];
  operator?: string[];
}

/** `petak sites list`: lists all sites, or what has changed since the last run. */
export function registerListSites(command: Command, context: CommandContext): void {
  command
    .command("list")
    .description("list all sites, or what has changed since the last run; with --json one line for each site or tombstone")
    .option("--since <file>", "list what has changed since the run that wrote this file, and write it; without the file, list all")
    .option("--country <SG,MY>", "only sites in these countries", collectCountries)
    .option("--operator <operator...>", "only sites of these operators, par_…", idsOf("par"))
    .action(async ({ since, country = [], operator = [] }: Options, running: Command) => {
      const session = context.session(running);
      const path = since === undefined ? undefined : session.resolve(since);
      const cursor = path === undefined ? "" : await readCursor(path);
      const client = await session.connectToRead();
      const pages = pagesAfter(client, { cursor, countryCodes: country, operatorIds: operator }, since);
      const last = await print(session.output, pages, cursor === "");
      // Only now: a run that is cut off is repeated as a whole.
      if (path !== undefined) await writeCursor(path, last);
    });
}

/** Reads pages until there is no more. @param file the file that the cursor is from */
async function* pagesAfter(
  { directory }: PetakClient,
  request: { cursor: string; countryCodes: string[]; operatorIds: string[] },
  file = "",
): AsyncGenerator<ListSitesResponse, void, undefined> {
  for (let { cursor } = request; ; ) {
    const page = await directory.listSites({ ...request, cursor, pageSize }).catch((error: unknown) => {
      const known = error instanceof ConnectError ? fromConnectError(error) : undefined;
      if (known?.reason !== "CURSOR_INVALID") throw error;
      const { reason, message, metadata } = known;
      throw new CliFailure(`${message}: delete ${file}`, { reason, metadata, cause: error });
    });
    yield page;
    if (!page.hasMore) return;
    cursor = page.nextCursor;
  }
}

/** Prints the sites of pages. Returns the last cursor. @param isFromBeginning whether a tombstone is only of a site that was printed before */
async function print(output: Output, pages: AsyncIterable<ListSitesResponse>, isFromBeginning: boolean): Promise<string> {
  const rows = new Map<string, string[]>();
  const progress = output.progress("Reading", 0, "sites");
  let [cursor, read] = ["", 0];
  try {
    for await (const { sites, tombstones, nextCursor } of pages) {
      for (const site of sites) {
        output.jsonLine({ site: toJson(SiteSchema, site) });
        if (!output.isJson) rows.set(site.siteId, toRow(site));
      }
      for (const tombstone of tombstones) {
        const { siteId, operatorSiteRef } = tombstone;
        output.jsonLine({ tombstone: toJson(SiteTombstoneSchema, tombstone) });
        if (isFromBeginning) rows.delete(siteId);
        else if (!output.isJson) rows.set(siteId, [siteId, operatorSiteRef, "gone", "", ""]);
      }
      read += sites.length + tombstones.length;
      progress.update(read);
      cursor = nextCursor;
    }
  } finally {
    progress.finish();
  }
  if (rows.size === 0) output.print(isFromBeginning ? "No sites." : "Nothing has changed.");
  else {
    const site = { title: "SITE", paint: output.colors.cyan };
    const columns = [site, { title: "REFERENCE" }, { title: "PHASE" }, { title: "COUNTRY" }, { title: "NAME", flexible: true }];
    output.table(columns, [...rows.values()]);
  }
  return cursor;
}

function toRow({ siteId, operatorSiteRef, lifecycle, address, name }: Site): string[] {
  return [siteId, operatorSiteRef, phases[lifecycle] ?? String(lifecycle), address?.countryCode ?? "", name];
}
