import type { PetakClient } from "@petak/client/node";
import { type LiveReservations, SiteLifecycle, type UpsertSiteResult } from "@petak/protocol";
import { asSentence, CliFailure, toFailure } from "../failure.ts";
import type { Output } from "../terminal/output.ts";
import { formatCount, formatMegabytes } from "../terminal/progress.ts";
import type { CheckedSite, SiteSettings } from "./build-site.ts";
import { checkSites, type FileFacts, noFacts } from "./check-sites.ts";
import { fileProblem } from "./file-problem.ts";
import type { OpenedFile } from "./open-source.ts";
import { addOutOfService, type OutOfService } from "./out-of-service.ts";
import { type RefusalReason, refusalReasons } from "./refusal.ts";
import type { RefusalReport } from "./report.ts";
import { validateSites, type WriteCounts, WriteFailure, writeSites } from "./upload.ts";

/** Depth of an import. */
export type ImportDepth =
  /** Only the file is checked. */
  | "file"
  /** The gateway validates the sites without writing them. */
  | "ask"
  | "write";

export interface ImportOptions {
  file: OpenedFile;
  settings: SiteSettings;
  depth: ImportDepth;
  /** True: refused rows are skipped. False: a single refused row stops the import. */
  skipRefused: boolean;
  report: RefusalReport;
  output: Output;
  /** The gateway's address, for messages. */
  url: string;
  /** Called once the file has been accepted. Not called for depth `file`. */
  connect(): Promise<Pick<PetakClient, "directory">>;
  signal: AbortSignal;
  /** What happens to the live reservations of sites that move far. Default REFUSE. */
  live?: LiveReservations | undefined;
  /** See {@link writeSites}. */
  onWritten?: (results: readonly UpsertSiteResult[]) => void;
  /** See {@link writeSites}. */
  retryDelaysMs?: readonly number[];
}

/** Result of an import. */
export interface ImportSummary extends FileFacts {
  file: string;
  format: string;
  /** Its depth. */
  depth: ImportDepth;
  refused: number;
  refusedByReason: Partial<Record<RefusalReason, number>>;
  /** Existing sites, if the gateway was asked. */
  existing?: number;
  /** Existing sites that are paused or planned, and stay so. */
  paused?: number;
  /** Existing sites that are retired, and are brought back. */
  broughtBack?: number;
  created?: number;
  updated?: number;
  unchanged?: number;
}

/**
 * Imports a file in three passes: check every row, let the gateway validate every site, write. Nothing is written before everything has been validated, and memory
 * use does not depend on the file's size.
 *
 * @throws CliFailure if rows are refused (unless they are skipped), the gateway refuses, or the import is interrupted; the message says what was undone.
 */
export async function importSites(options: ImportOptions): Promise<ImportSummary> {
  const { file, settings, depth, skipRefused, report, output, signal, url } = options;
  const facts = noFacts();
  const refusedRows = new Set<number>();
  const outOfService: OutOfService = { paused: 0, retired: new Set() };
  let digest: string | undefined;
  let accepted = 0;

  const summary = (): ImportSummary => ({
    file: file.name,
    format: file.source.format,
    depth,
    ...facts,
    refused: report.count,
    refusedByReason: Object.fromEntries(report.counts()),
  });

  async function judge(): Promise<void> {
    const progress = output.progress(`Reading ${file.name}`, file.sizeBytes, formatMegabytes);
    const onDigest = (value: string) => {
      digest = value;
    };
    try {
      for await (const checked of checkSites(file.source, settings, facts, { onBytes: progress.update, onDigest })) {
        signal.throwIfAborted();
        if (checked.kind === "refusal") report.add(checked);
        else accepted += 1;
      }
    } finally {
      progress.finish();
    }
  }

  /** The sites without the refused ones. Retired ones are put into service; the others stay in the phase that they are in. */
  async function* sitesAgain(): AsyncGenerator<CheckedSite, void, undefined> {
    let again: string | undefined;
    const onDigest = (value: string) => {
      again = value;
    };
    for await (const checked of checkSites(file.source, settings, noFacts(), { onDigest })) {
      if (checked.kind !== "site" || refusedRows.has(checked.row)) continue;
      const isRetired = outOfService.retired.has(checked.site.operatorSiteRef);
      yield isRetired ? { ...checked, site: { ...checked.site, lifecycle: SiteLifecycle.ACTIVE } } : checked;
    }
    if (again !== digest) throw fileProblem(file.name, "changed while it was being imported");
  }

  function stopIfRefused(): void {
    if (report.count === 0 || skipRefused) return;
    throw new CliFailure(
      `${formatCount(report.count)} of ${formatCount(facts.rows)} rows are refused, so nothing was imported. Correct them, or pass --skip-refused to import the others.`,
      { reason: "rows-refused", result: { ...summary(), refusals: report.first } },
    );
  }

  try {
    await judge();
    showRefusals(output, report);
    stopIfRefused();
    if (accepted === 0) throw new CliFailure(`${file.name} has no site to import.`, { reason: "no-sites", result: { ...summary() } });
    if (depth === "file") return summary();
    const { directory } = await options.connect();
    const upload = {
      directory,
      signal,
      live: options.live,
      retryDelaysMs: options.retryDelaysMs,
      onExisting: (siteIds: string[]) => addOutOfService(directory, siteIds, outOfService),
      onWritten: options.onWritten,
    };
    const asking = output.progress("Asking the gateway", accepted, "sites");
    const answer = await validateSites({ ...upload, sites: sitesAgain(), onProgress: asking.update }).finally(asking.finish);
    for (const refusal of answer.refusals) {
      report.add(refusal);
      refusedRows.add(refusal.row);
    }
    if (answer.refusals.length > 0) showRefusals(output, report);
    stopIfRefused();
    accepted -= answer.refusals.length;
    const existing = { existing: answer.existing, paused: outOfService.paused, broughtBack: outOfService.retired.size };
    if (depth === "ask") return { ...summary(), ...existing };
    const writing = output.progress("Importing", accepted, "sites");
    const counts = await writeSites({ ...upload, sites: sitesAgain(), onProgress: writing.update }).finally(writing.finish);
    return { ...summary(), ...existing, ...counts };
  } catch (error) {
    if (error instanceof WriteFailure) throw undone(error, signal, url, summary());
    if (signal.aborted) throw new CliFailure("Interrupted before anything was written.", { reason: "interrupted", cause: error });
    throw error;
  }
}

/** A failure that says why writing ended and what remains. */
function undone(failure: WriteFailure, signal: AbortSignal, url: string, summary: ImportSummary): CliFailure {
  const { counts, retired, left, cause } = failure;
  const known = toFailure(cause, url);
  const why = signal.aborted ? "Interrupted." : known.message;
  return new CliFailure(`${why} ${describeUndo(counts, retired, left)}`, {
    exitCode: signal.aborted ? undefined : known.exitCode,
    reason: signal.aborted ? "interrupted" : known.reason,
    metadata: known.metadata,
    fieldViolations: known.fieldViolations,
    result: { ...summary, ...counts, retired, left },
    cause,
  });
}

function describeUndo({ created, updated }: WriteCounts, retired: number, left: number): string {
  const parts: string[] = [];
  if (left > 0) {
    parts.push(
      `${formatCount(left)} sites that this run created, or may have created, could not be retired: run the same command again to finish the import`,
    );
  }
  if (retired > 0) parts.push(`the ${formatCount(retired)} sites that this run had created are retired again`);
  if (updated > 0) parts.push(`${formatCount(updated)} sites that were there before keep their new facts`);
  if (created === 0 && updated === 0 && left === 0) parts.push("nothing was changed");
  return asSentence(parts.join("; "));
}

function showRefusals(output: Output, report: RefusalReport): void {
  if (report.count === 0) return;
  const { yellow, dim } = output.colors;
  output.print(yellow(`${formatCount(report.count)} refused:`));
  for (const [reason, count] of report.counts()) output.print(`  ${formatCount(count).padStart(7)}  ${refusalReasons[reason]}`);
  output.print();
  for (const { row, line, message, name, reference } of report.first) {
    const who = [name, reference].find((text) => text !== "");
    output.print(`  row ${row}, line ${line}: ${message}${who === undefined ? "" : dim(` (${who})`)}`);
  }
  if (report.count > report.first.length)
    output.print(dim(`  … and ${formatCount(report.count - report.first.length)} more: --report FILE writes them all`));
  output.print();
}
