import type { Report, ThresholdResult } from "@petak/simulator";
import type { Output } from "../terminal/output.ts";
import { formatCount } from "../terminal/progress.ts";
import type { OutputFiles } from "./output-files.ts";

/** What came of a run, as it is told. */
export interface RunResult {
  readonly report: Report;
  readonly thresholds: readonly ThresholdResult[];
  readonly files: OutputFiles;
  /** Parcels of the run that are inside still. */
  readonly inside: number;
}

/** The result as JSON: the figures that people ask for first; all of them are in the report's. */
export function resultJson({ report, thresholds, files, inside }: RunResult) {
  const { run, demand, walk, load, violations, plan } = report;
  const { bySteps: _, ...counts } = demand;
  const operations = Object.entries(load.operations).map(([name, { hdr: _hdr, classes: _classes, ...of }]) => [name, of]);
  return {
    end: run.end,
    isValid: run.isValid,
    invalidReasons: run.invalidReasons,
    tookMs: run.tookMs,
    intentions: run.intentions,
    rate: load.rate,
    demand: counts,
    walk: { p50M: walk.p50, p90M: walk.p90, shareWithin250M: walk.shareWithin250M },
    operations: Object.fromEntries(operations),
    inside,
    violations: { count: violations.count, byRule: violations.byRule },
    ...(plan === null ? {} : { plan }),
    thresholds,
    files,
  };
}

/** Prints the result. */
export function describeResult(output: Output, { report, thresholds, files, inside }: RunResult): void {
  const { bold, green, red, dim, cyan } = output.colors;
  const { run, demand, walk, load, violations, plan } = report;
  const percent = (share: number | null) => (share === null ? "–" : `${(100 * share).toFixed(1)} %`);
  const metres = (m: number | null) => (m === null ? "–" : `${formatCount(m)} m`);
  output.print(
    `${bold(run.city)}: ${endTexts[run.end]} after ${(run.tookMs / 1000).toFixed(0)} s${run.endReason === null ? "" : ` (${run.endReason})`}.`,
  );
  output.print(
    `  ${formatCount(demand.asked)} asked, ${formatCount(demand.wanted)} wanted a place: ${percent(demand.metShare)} met, ${percent(demand.noSiteNearShare)} have no site near, ${percent(demand.noneFreeShare)} found none free, ${percent(demand.failedShare)} failed; ${percent(demand.redirectedShare)} of those met were redirected`,
  );
  output.print(
    `  ${metres(walk.p50)} to the site for half of them, ${metres(walk.p90)} for nine tenths; ${percent(walk.shareWithin250M)} within 250 m`,
  );
  const { rate } = load;
  output.print(
    `  ${formatCount(rate.calls)} calls, ${(rate.calls / Math.max(0.001, rate.durationMs / 1000)).toFixed(0)}/s; ${formatCount(rate.dropped)} intentions dropped, ${formatCount(rate.late)} begun late`,
  );
  output.print();
  const ms = (value: number) => `${value < 10 ? value.toFixed(1) : formatCount(value)} ms`;
  const right = (title: string) => ({ title, align: "right" as const });
  output.table(
    [{ title: "CALLS" }, right("OK"), right("REFUSED"), right("FAILED"), right("P50"), right("P99"), right("MAX")],
    Object.entries(load.operations).map(([name, of]) => [
      name,
      ...[of.ok, of.refused, of.failed].map(formatCount),
      ms(of.p50Ms),
      ms(of.p99Ms),
      ms(of.maxMs),
    ]),
  );
  output.print();
  if (plan !== null) {
    output.table(
      [{ title: "PLANNED SITE" }, right("RESIDENTS"), right("PARCELS"), right("NEWLY REACHED"), right("WALK SAVED")],
      plan.sites.map(({ ref, residents, met, newlyReached, savedMeanM }) => [
        ref,
        formatCount(residents),
        formatCount(met),
        formatCount(newlyReached),
        savedMeanM === null ? "–" : `${formatCount(savedMeanM)} m each`,
      ]),
    );
    output.print();
  }
  for (const { text, value, unit, isMet } of thresholds) {
    const found =
      value === null
        ? "nothing was measured"
        : `${Number(value.toFixed(3)).toLocaleString("en")}${{ ms: " ms", percent: " %", count: "" }[unit]}`;
    output.print(`  ${isMet ? green("met   ") : red("missed")}  ${text}: ${found}`);
  }
  for (const { rule, count } of violations.byRule) output.print(red(`  violated: ${rule}, ${formatCount(count)} times`));
  if (violations.count === 0) output.print(green("  Everything that was answered was checked: no violations."));
  if (inside > 0) output.print(`  ${formatCount(inside)} parcels of the run are inside still.`);
  for (const reason of run.invalidReasons) output.print(red(`  ${reason}`));
  output.print();
  output.print(`Report: ${cyan(files.report)}`);
  output.print(dim(`Figures: ${files.figures}, log: ${files.log}${files.record === undefined ? "" : `, trace: ${files.record}`}`));
}

const endTexts: Record<Report["run"]["end"], string> = {
  complete: "complete",
  interrupted: "interrupted",
  "gateway-lost": "the gateway was lost",
  unknown: "broken off",
};
