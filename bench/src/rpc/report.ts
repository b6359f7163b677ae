import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { replaceSection } from "../docs-section.ts";
import { median } from "../median.ts";
import type { Arrivals } from "./arrivals.ts";
import { callCosts } from "./call-costs.ts";
import type { PacedFigure, RpcReport } from "./figures.ts";
import { pacedConnections } from "./generators.ts";
import { stackedChart } from "./stacked-chart.ts";
import { names } from "./subjects.ts";

/** A rate counts as kept where this share of it came. Where less did, the machine had become slower, and it was no longer 70 % of what it can do. */
const keptShare = 0.98;

/** The most that p99 may be of p50 at 70 % of capacity. */
const tailTarget = 5;

const root = join(import.meta.dirname, "../../..");
/** Prints a report, and where it is to be kept keeps it as JSON and picture, and puts it into docs/performance.md. */
export async function writeRpcReport(report: RpcReport, { json, isKept }: { json: boolean; isKept: boolean }): Promise<void> {
  const table = reportTable(report);
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : `${table}\n`);
  if (!isKept) return;
  const results = join(root, "bench/results");
  await mkdir(results, { recursive: true });
  await writeFile(join(results, "rpc.json"), `${JSON.stringify(report, null, 2)}\n`);
  await writeFile(join(results, "rpc.svg"), stackedChart(callCosts(report.figures)));
  await replaceSection(join(root, "docs/performance.md"), "npm run bench -- rpc", table);
}

/** The report as Markdown. */
export function reportTable(report: RpcReport): string {
  const figureOf = (what: string, protocol: string) =>
    report.figures.find((figure) => figure.what === what && figure.protocol === protocol);
  const rows = report.figures.map(({ what, protocol, requestsPerSecond, cpuMicrosPerCall, redisCpuMicrosPerCall, target }) => {
    const rate = median(requestsPerSecond);
    const spread = `${thousands(Math.min(...requestsPerSecond))}–${thousands(Math.max(...requestsPerSecond))}`;
    const peer = target && figureOf(target.peer, target.protocol);
    const ratio = rate / median(peer?.requestsPerSecond ?? []);
    const cpuRatio = median(peer?.cpuMicrosPerCall ?? []) / median(cpuMicrosPerCall);
    const compared =
      target === undefined
        ? "| |"
        : `| ${ratio.toFixed(2)} of ${target.peer.replace(/, .*/, "")}, by CPU ${cpuRatio.toFixed(2)} | ${verdict(ratio >= target.ratio, `≥ ${target.ratio}`)}`;
    const redis = redisCpuMicrosPerCall === undefined ? "" : Math.round(median(redisCpuMicrosPerCall));
    return `| ${what} | ${protocol} | ${thousands(rate)} | ${spread} | ${Math.round(median(cpuMicrosPerCall))} | ${redis} ${compared} |`;
  });
  return [
    `Commit ${report.commit}, Node ${report.node}, ${report.server}, ${report.cpu}. Server on one core; ${report.generators}, ${report.connections} connections`,
    `(HTTP/2: ${report.streamsPerConnection} streams on each), and Redis on another. ${report.siteCount} sites, an answer of ${report.answerBytes} bytes.`,
    `Median of ${report.rounds} rounds of ${report.seconds} s.`,
    "",
    "| what | protocol | thousand requests/s | least–most | µs CPU a call | of Redis | compared | target |",
    "|---|---|---|---|---|---|---|---|",
    ...rows,
    "",
    "The request of FindNearest in JSON at 70 % of the most that each server did immediately before, kept whatever the answers, over " +
      `${pacedConnections} connections; a request's time counts from when it was due:`,
    "",
    "| what | arrivals | rounds in which the rate was kept | thousand requests/s wanted | came of it | sent late, p99, µs | p50, µs | p99, µs | p99 / p50 | target |",
    "|---|---|---|---|---|---|---|---|---|---|",
    ...[...new Set(report.paced.map(({ what }) => what))].flatMap((what) => [
      pacedRow(report.paced, what, "even", "at equal distances"),
      pacedRow(report.paced, what, "random", "at random (Poisson)"),
    ]),
    "",
    "![Where the processor time of a call goes](../bench/results/rpc.svg)",
  ].join("\n");
}

function pacedRow(paced: readonly PacedFigure[], what: string, arrivals: Arrivals, name: string): string {
  const all = paced.filter((figure) => figure.what === what && figure.arrivals === arrivals);
  const figures = all.filter(({ wanted, requestsPerSecond }) => requestsPerSecond >= wanted * keptShare);
  // The others are what the machine does to anybody.
  const isTarget = what === names.findNearest && arrivals === "even";
  if (figures.length === 0)
    return `| ${what} | ${name} | 0 of ${all.length} | | | | | | | not measured: the machine did not keep its speed |`;
  const middle = (of: (figure: PacedFigure) => number) => median(figures.map(of));
  const tail = middle(({ p50Us, p99Us }) => p99Us / p50Us);
  const cells = [
    what,
    name,
    `${figures.length} of ${all.length}`,
    thousands(middle(({ wanted }) => wanted)),
    thousands(middle(({ requestsPerSecond }) => requestsPerSecond)),
    Math.round(middle(({ lateP99Us }) => lateP99Us)),
    Math.round(middle(({ p50Us }) => p50Us)),
    Math.round(middle(({ p99Us }) => p99Us)),
    tail.toFixed(1),
    isTarget ? verdict(tail <= tailTarget, `≤ ${tailTarget}`) : "",
  ];
  return `| ${cells.join(" | ")} |`;
}

function verdict(isMet: boolean, target: string): string {
  return `${target}: ${isMet ? "met" : "**not met**"}`;
}

function thousands(value: number): string {
  return (value / 1000).toFixed(1);
}
