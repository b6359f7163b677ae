import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** One thing measured: requests a second, round after round. */
export interface RpcFigure {
  what: string;
  protocol: string;
  requestsPerSecond: number[];
  /** Processor time of the server for each call, in µs. */
  cpuMicrosPerCall: number[];
  /** What it is compared with, and the ratio of the rates that is wanted. */
  target?: { peer: string; protocol: string; ratio: number };
}

/** Latencies at a rate that was kept. */
export interface PacedFigure {
  /** The rate, and what came of it, a second. */
  wanted: number;
  requestsPerSecond: number;
  p50Us: number;
  p99Us: number;
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
  paced: PacedFigure[];
}

/** The most that p99 may be of p50 at 70 % of capacity. */
const tailTarget = 5;

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
  const rateOf = (what: string, protocol: string) =>
    median(report.figures.find((figure) => figure.what === what && figure.protocol === protocol)?.requestsPerSecond ?? []);
  const rows = report.figures.map(({ what, protocol, requestsPerSecond, cpuMicrosPerCall, target }) => {
    const rate = median(requestsPerSecond);
    const spread = `${thousands(Math.min(...requestsPerSecond))}–${thousands(Math.max(...requestsPerSecond))}`;
    const ratio = target === undefined ? Number.NaN : rate / rateOf(target.peer, target.protocol);
    const compared =
      target === undefined
        ? "| |"
        : `| ${ratio.toFixed(2)} of ${target.peer.replace(/, .*/, "")} | ${verdict(ratio >= target.ratio, `≥ ${target.ratio}`)}`;
    return `| ${what} | ${protocol} | ${thousands(rate)} | ${spread} | ${Math.round(median(cpuMicrosPerCall))} ${compared} |`;
  });
  const [p50, p99] = [median(report.paced.map(({ p50Us }) => p50Us)), median(report.paced.map(({ p99Us }) => p99Us))];
  const tail = median(report.paced.map(({ p50Us, p99Us }) => p99Us / p50Us));
  return [
    `Commit ${report.commit}, Node ${report.node}, ${report.server}, ${report.cpu}. Server on one core; ${report.generators}, ${report.connections} connections`,
    `(HTTP/2: ${report.streamsPerConnection} streams on each), and Redis on another. ${report.siteCount} sites, an answer of ${report.answerBytes} bytes.`,
    `Median of ${report.rounds} rounds of ${report.seconds} s.`,
    "",
    "| what | protocol | thousand requests/s | least–most | µs CPU a call | compared | target |",
    "|---|---|---|---|---|---|---|",
    ...rows,
    "",
    `FindNearest in JSON at ${thousands(report.paced[0]?.wanted ?? Number.NaN)} thousand requests/s, 70 % of its most, kept whatever the answers (h2load --rps): p50`,
    `${Math.round(p50)} µs, p99 ${Math.round(p99)} µs, p99 / p50 ${tail.toFixed(1)}, ${verdict(tail <= tailTarget, `≤ ${tailTarget}`)}.`,
  ].join("\n");
}

function verdict(isMet: boolean, target: string): string {
  return `${target}: ${isMet ? "met" : "**not met**"}`;
}

/** The middle one of some values; NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function thousands(value: number): string {
  return (value / 1000).toFixed(1);
}
