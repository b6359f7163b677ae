import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** One thing measured: requests a second, round after round. */
export interface RpcFigure {
  what: string;
  protocol: string;
  requestsPerSecond: number[];
  /** Processor time of the server for each call, in µs. */
  cpuMicrosPerCall: number[];
}

/** A run of the RPC bench and all that is needed to judge it. */
export interface RpcReport {
  commit: string;
  node: string;
  /** Flavour and version of the Redis server. */
  server: string;
  cpu: string;
  generators: string;
  connections: number;
  streamsPerConnection: number;
  seconds: number;
  rounds: number;
  siteCount: number;
  /** Length of FindNearest's JSON answer, which bare node:http sends too. */
  answerBytes: number;
  figures: RpcFigure[];
}

const root = join(import.meta.dirname, "../../..");
const begin = "<!-- begin: npm run bench -- rpc -->";
const end = "<!-- end: npm run bench -- rpc -->";

/** Prints a report, keeps it as JSON, and puts it into docs/performance.md. */
export async function writeRpcReport(report: RpcReport, json: boolean): Promise<void> {
  await mkdir(join(root, "bench/results"), { recursive: true });
  await writeFile(join(root, "bench/results/rpc.json"), `${JSON.stringify(report, null, 2)}\n`);
  const table = reportTable(report);
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : `${table}\n`);
  const path = join(root, "docs/performance.md");
  const page = await readFile(path, "utf8");
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error(`docs/performance.md lacks the lines ${begin} and ${end}`);
  await writeFile(path, `${page.slice(0, from + begin.length)}\n\n${table}\n\n${page.slice(to)}`);
}

/** The report as Markdown. */
export function reportTable(report: RpcReport): string {
  const limit = median(report.figures[0]?.requestsPerSecond ?? []);
  const stockBy = new Map(
    report.figures
      .filter(({ what }) => what.startsWith("stock"))
      .map(({ protocol, requestsPerSecond }) => [protocol, median(requestsPerSecond)]),
  );
  const rows = report.figures.map(({ what, protocol, requestsPerSecond, cpuMicrosPerCall }) => {
    const rate = median(requestsPerSecond);
    const stock = stockBy.get(protocol);
    const spread = `${thousands(Math.min(...requestsPerSecond))}–${thousands(Math.max(...requestsPerSecond))}`;
    return `| ${what} | ${protocol} | ${thousands(rate)} | ${spread} | ${Math.round(median(cpuMicrosPerCall))} | ${(rate / limit).toFixed(2)} | ${stock === undefined ? "" : (rate / stock).toFixed(2)} |`;
  });
  return [
    `Commit ${report.commit}, Node ${report.node}, ${report.server}, ${report.cpu}. Server on one core; ${report.generators}, ${report.connections} connections`,
    `(HTTP/2: ${report.streamsPerConnection} streams on each), and Redis on another. ${report.siteCount} sites, an answer of ${report.answerBytes} bytes.`,
    `Median of ${report.rounds} rounds of ${report.seconds} s.`,
    "",
    "| what | protocol | thousand requests/s | least–most | µs CPU a call | of bare node:http | of stock connect-node |",
    "|---|---|---|---|---|---|---|",
    ...rows,
  ].join("\n");
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function thousands(value: number): string {
  return (value / 1000).toFixed(1);
}
