import type { LiveReservations, ModeName } from "@petak/protocol";
import { Role, SiteKind, type SiteService } from "@petak/protocol";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { CommandModule } from "../command.ts";
import { CliFailure, usageFailure } from "../failure.ts";
import type { SiteSettings } from "../import-sites/build-site.ts";
import { defaultMix, type ImportedMix, parseCompartments } from "../import-sites/compartments.ts";
import { openIdFile } from "../import-sites/id-file.ts";
import { type ImportDepth, type ImportSummary, importSites } from "../import-sites/import-sites.ts";
import { type OpenedFile, openSites } from "../import-sites/open-source.ts";
import { createRefusalReport } from "../import-sites/report.ts";
import { parseColumnMap, siteFields } from "../import-sites/site-fields.ts";
import type { FileFormat } from "../import-sites/site-source.ts";
import { everyDay, parseOpeningHours, type WeeklyHours } from "../places/opening-hours.ts";
import type { Session } from "../session.ts";
import type { Output } from "../terminal/output.ts";
import { formatCount } from "../terminal/progress.ts";
import { parseCountry } from "./country.ts";
import { liveOption } from "./live-option.ts";
import { parseMode } from "./mode.ts";
import { parseSiteKind } from "./site-kind.ts";
import { collectServices, siteServiceName, siteServiceNames } from "./site-services.ts";

interface ImportCommandOptions {
  kind?: SiteKind;
  mode?: ModeName;
  format?: FileFormat;
  map?: string[];
  name?: string;
  country?: string;
  hours?: string;
  compartments?: string;
  services?: SiteService[];
  delimiter?: string;
  skipRefused?: boolean;
  report?: string;
  ids?: string;
  dryRun?: boolean;
  offline?: boolean;
  trustCoordinates?: boolean;
  live?: LiveReservations;
}

/** `petak import sites`: imports a list of real places as sites. */
export const registerImport: CommandModule = (command, context) => {
  command
    .command("sites")
    .description("import the sites of a CSV, GeoJSON or DHL Location Finder file: all of them or none")
    .argument("<file>", "the list, in UTF-8")
    .option("--kind <terminal|store>", "kind of the sites (DHL files contain it; then: only sites of this kind)", parseSiteKind)
    .option("--mode <test|live>", "network of the sites (default: the key's)", parseMode)
    .addOption(new Option("--format <format>", "format of the file (default: by its content)").choices(["csv", "geojson", "dhl"]))
    .option("--map <field=column,…>", `columns of fields whose guess is wrong: ${siteFields.join(", ")}`, collect)
    .option("--name <template>", 'template of names, with columns in braces: "Site at {address}"')
    .option("--country <code>", "country of rows without one, e.g. SG", parseCountry)
    .option("--hours <hours>", 'opening hours if the file has none: "24/7" (default for terminals), "Mo-Su 08:00-22:00" (for stores)')
    .option(
      "--compartments <spec>",
      "compartments of each site: S:400x120x500:20,M:… (mm and count), or a made-up mix (default: medium or shelf)",
    )
    .option("--delimiter <character>", "delimiter of a CSV file (default: by its header)", parseDelimiter)
    .option("--services <what>", `what the sites offer: ${siteServiceNames.join(", ")}`, collectServices)
    .option("--skip-refused", "import the other rows if some are refused")
    .option("--report <file>", "write every refused row with its reason, as CSV or .json")
    .option("--ids <file>", "write reference and id of every site that is written, as CSV")
    .option("--trust-coordinates", "accept positions that look swapped given their country")
    .addOption(liveOption())
    .option("--dry-run", "check everything with the gateway without writing")
    .option("--offline", "check only the file, without a gateway")
    .action(async (path: string, options: ImportCommandOptions, running: Command) => {
      await runImport(context.session(running), path, options);
    });
};

async function runImport(session: Session, path: string, options: ImportCommandOptions): Promise<void> {
  const { output, io } = session;
  const signal = io.interruption();
  const depth: ImportDepth = options.offline === true ? "file" : options.dryRun === true ? "ask" : "write";
  const startedMs = performance.now();
  const mode = await decideMode(session, options.mode, depth);
  const file = await openSites(session.resolve(path), options.format, {
    columns: parseColumnMap(options.map ?? []),
    nameTemplate: options.name,
    delimiter: options.delimiter,
    nowMs: io.now(),
  });
  const settings = settingsOf(options, mode, file);
  describeReading(output, file, settings, options, mode);
  const report = createRefusalReport(options.report === undefined ? undefined : session.resolve(options.report));
  const ids = options.ids === undefined || depth !== "write" ? undefined : openIdFile(session.resolve(options.ids));
  try {
    const summary = await importSites({
      file,
      settings,
      depth,
      skipRefused: options.skipRefused === true,
      report,
      output,
      url: session.url,
      connect: () => connectAsOperator(session),
      signal,
      live: options.live,
      ...(ids && { onWritten: ids.add }),
    });
    describeResult(output, summary, (performance.now() - startedMs) / 1000);
  } finally {
    report.close();
    ids?.close();
  }
}

/** A key sees one network, so it decides; without one nothing is written, and the test network is as good as the other. */
async function decideMode(session: Session, wanted: ModeName | undefined, depth: ImportDepth): Promise<ModeName> {
  if (depth === "file") return wanted ?? "test";
  const mode = (await session.findKey())?.keyFile.mode;
  if (mode !== undefined && wanted !== undefined && mode !== wanted) {
    throw usageFailure(
      `The key is a ${mode} key and sees the ${mode} network only. Give --key a ${wanted} key, or leave --mode ${wanted} out.`,
    );
  }
  return mode ?? wanted ?? "test";
}

async function connectAsOperator(session: Session) {
  const { client, keyFile } = await session.connect({});
  const { participant } = await client.participants.getParticipant({});
  if (participant !== undefined && !participant.roles.includes(Role.OPERATOR)) {
    throw new CliFailure(
      `${participant.displayName} (${keyFile.participant_id}) is no operator, and only operators have sites. Give --key the key file of an operator.`,
      { reason: "ROLE_REQUIRED" },
    );
  }
  session.output.print(`For ${participant?.displayName ?? keyFile.participant_id}, at ${session.url}.`);
  return client;
}

function settingsOf(options: ImportCommandOptions, mode: ModeName, { source }: OpenedFile): SiteSettings {
  const { kind, country } = options;
  if (source.mapping !== undefined) {
    if (kind === undefined) throw usageFailure("Say what the sites are: --kind terminal or --kind store.");
    if (country === undefined && !source.mapping.columns.has("address.country_code")) {
      throw usageFailure(
        "The file names no country. Give --country, e.g. --country SG, or map a column: --map address.country_code=COLUMN.",
      );
    }
  }
  const mix: ImportedMix | undefined = options.compartments === undefined ? undefined : parseCompartments(options.compartments);
  const hours: WeeklyHours | undefined = options.hours === undefined ? undefined : readHours(options.hours);
  return {
    siteKind: kind,
    isTest: mode === "test",
    countryCode: country,
    mixFor: (siteKind) => mix ?? defaultMix(siteKind),
    hoursFor: (siteKind) => hours ?? (siteKind === SiteKind.PARCEL_TERMINAL ? { alwaysOpen: true } : everyDay(8 * 60, 22 * 60)),
    services: options.services ?? [],
    trustCoordinates: options.trustCoordinates === true,
  };
}

function readHours(text: string): WeeklyHours {
  try {
    return parseOpeningHours(text);
  } catch (error) {
    throw usageFailure(`--hours: ${(error as Error).message}.`);
  }
}

function describeReading(output: Output, file: OpenedFile, settings: SiteSettings, options: ImportCommandOptions, mode: ModeName): void {
  const { bold, dim } = output.colors;
  const { source } = file;
  const kinds = settings.siteKind === undefined ? [SiteKind.PARCEL_TERMINAL, SiteKind.COLLECTION_POINT] : [settings.siteKind];
  const lines: [string, string, string][] = [];
  if (source.mapping !== undefined) {
    const { columns, guessed } = source.mapping;
    for (const field of siteFields) {
      const column = columns.get(field);
      if (column !== undefined) lines.push([field, column, guessed.has(field) ? "guessed" : "as given"]);
    }
    if (!columns.has("operator_site_ref")) lines.push(["operator_site_ref", "made from name and position", "no column"]);
    if (options.name !== undefined) lines.push(["name", options.name, "as given"]);
    else if (!columns.has("name")) lines.push(["name", `Site at {${columns.get("address.lines") ?? ""}}`, "no column"]);
  }
  if (settings.countryCode !== undefined) lines.push(["country", settings.countryCode, "where the row names none"]);
  lines.push(["time zone", "by the position", ""]);
  lines.push([
    "opening hours",
    options.hours ?? defaultHoursText(source.format, kinds),
    options.hours === undefined ? "default" : "as given",
  ]);
  for (const kind of kinds) {
    const { description, isMadeUp } = settings.mixFor(kind);
    const what = kind === SiteKind.PARCEL_TERMINAL ? "compartments" : "shelf places";
    lines.push([what, description, isMadeUp ? "give the real ones with --compartments" : "as given"]);
  }
  if (options.services !== undefined) lines.push(["services", options.services.map(siteServiceName).join(", "), "as given"]);
  output.print(`${bold(file.name)}: ${source.description}, for the ${mode} network`);
  const width = Math.max(...lines.map(([name]) => name.length));
  for (const [name, value, note] of lines) output.print(`  ${name.padEnd(width)}  ${value}${note === "" ? "" : dim(` (${note})`)}`);
  output.print();
}

function defaultHoursText(format: FileFormat, kinds: readonly SiteKind[]): string {
  if (format === "dhl") return "the file's own";
  return kinds[0] === SiteKind.PARCEL_TERMINAL ? "24/7" : "08:00-22:00 every day";
}

function describeResult(output: Output, summary: ImportSummary, seconds: number): void {
  output.json({ ...summary, seconds: Math.round(seconds * 100) / 100 });
  const { green, dim } = output.colors;
  const accepted = summary.rows - summary.refused;
  output.print(
    `${formatCount(summary.rows)} rows in ${summary.file}: ${formatCount(accepted)} accepted, ${formatCount(summary.refused)} refused.`,
  );
  if (summary.leftOut > 0) output.print(`  ${formatCount(summary.leftOut)} of another kind were skipped.`);
  if (summary.sharedPositions > 0)
    output.print(`  ${formatCount(summary.sharedPositions)} have the same position as another one, which is allowed.`);
  if (summary.outsideCountry > 0) {
    const lines = summary.outsideCountryLines.join(", ");
    output.print(
      `  ${formatCount(summary.outsideCountry)} seem to be outside their country (line ${lines}${summary.outsideCountry > 3 ? ", …" : ""}), judging by their time zone. Near borders and coasts this is unreliable.`,
    );
  }
  const { paused = 0, broughtBack = 0 } = summary;
  if (paused > 0) output.print(`  ${formatCount(paused)} out of service, which stays so: \`petak sites resume\` ends that.`);
  if (broughtBack > 0) output.print(`  ${formatCount(broughtBack)} retired, which ${summary.depth === "ask" ? "would be" : "is"} undone.`);
  if (summary.depth === "file") output.print("Only the file was checked; no gateway was called.");
  else if (summary.depth === "ask") {
    const existing = summary.existing ?? 0;
    output.print(
      `The gateway would accept them: ${formatCount(accepted - existing)} new, ${formatCount(existing)} existing. Nothing was written.`,
    );
  } else {
    const { created = 0, updated = 0, unchanged = 0 } = summary;
    output.print(
      `${green("Imported")}: ${formatCount(created)} created, ${formatCount(updated)} updated, ${formatCount(unchanged)} unchanged.`,
    );
  }
  output.print(dim(`${seconds.toFixed(1)} s, ${formatCount(summary.rows / Math.max(seconds, 0.001))} rows/s`));
}

function collect(text: string, earlier: string[] = []): string[] {
  return [...earlier, text];
}

function parseDelimiter(text: string): string {
  if (text === "\\t" || text.toLowerCase() === "tab") return "\t";
  if ([...text].length !== 1 || text === '"' || text === "\n") throw new InvalidArgumentError('write one character, or "tab".');
  return text;
}
