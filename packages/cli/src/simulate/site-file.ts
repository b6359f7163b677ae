import type { PetakClient } from "@petak/client/node";
import { SiteKind } from "@petak/protocol";
import type { SiteSettings } from "../import-sites/build-site.ts";
import { defaultMix, parseCompartments } from "../import-sites/compartments.ts";
import { type ImportDepth, importSites } from "../import-sites/import-sites.ts";
import { type OpenedFile, openSites } from "../import-sites/open-source.ts";
import { createRefusalReport } from "../import-sites/report.ts";
import { parseColumnMap } from "../import-sites/site-fields.ts";
import { everyDay } from "../places/opening-hours.ts";
import { countryAt } from "../places/time-zone.ts";
import type { Output } from "../terminal/output.ts";

/** How a file of sites is read; as `petak import sites` has them. */
export interface SiteFileOptions {
  sites?: string;
  kind?: SiteKind;
  country?: string;
  map?: string[];
  compartments?: string;
  skipRefused?: boolean;
}

/** What an import needs besides the file. */
export interface SiteFileContext {
  output: Output;
  /** The gateway's address, for messages. */
  url: string;
  signal: AbortSignal;
}

/** A file of sites that can be imported. */
export interface SiteFile {
  readonly name: string;
  readonly rows: number;
  /** Puts the sites into the directory; those that are there already stay. */
  write(client: PetakClient): Promise<void>;
}

/**
 * Opens a file of sites and checks every row of it.
 *
 * @param path absolute
 * @param countryCode the country of rows that name none, unless `--country` does
 * @throws CliFailure if it cannot be imported.
 */
export async function openSiteFile(
  path: string,
  options: SiteFileOptions,
  countryCode: string | undefined,
  { output, url, signal }: SiteFileContext,
): Promise<SiteFile> {
  const columns = parseColumnMap(options.map ?? []);
  const file = await openSites(path, undefined, { columns, nameTemplate: undefined, delimiter: undefined, nowMs: 0 });
  const settings = await settingsOf(file, options, countryCode);
  const skipRefused = options.skipRefused === true;
  const run = async (depth: ImportDepth, connect: () => Promise<PetakClient>) =>
    await importSites({ file, settings, depth, skipRefused, report: createRefusalReport(undefined), output, url, connect, signal });
  const { rows, refused } = await run("file", () => Promise.reject(new Error("only the file is checked")));
  return {
    name: file.name,
    rows: rows - refused,
    async write(client) {
      await run("write", async () => client);
    },
  };
}

async function settingsOf(file: OpenedFile, options: SiteFileOptions, countryCode: string | undefined): Promise<SiteSettings> {
  const mix = options.compartments === undefined ? undefined : parseCompartments(options.compartments);
  const isDecided = file.source.mapping === undefined;
  return {
    siteKind: options.kind ?? (isDecided ? undefined : SiteKind.PARCEL_TERMINAL),
    isTest: true,
    countryCode: options.country ?? countryCode ?? (await countryOfFirst(file)),
    mixFor: (kind) => mix ?? defaultMix(kind),
    hoursFor: (kind) => (kind === SiteKind.PARCEL_TERMINAL ? { alwaysOpen: true } : everyDay(8 * 60, 22 * 60)),
    trustCoordinates: false,
  };
}

/** The country in which the first site lies, by its time zone. */
async function countryOfFirst({ source }: OpenedFile): Promise<string | undefined> {
  for await (const draft of source.drafts()) {
    if (draft.kind === "draft" && draft.latitude.ok && draft.longitude.ok) {
      return countryAt(draft.latitude.degrees, draft.longitude.degrees);
    }
  }
  return undefined;
}
