import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { replaceSection } from "../docs-section.ts";
import { median } from "../median.ts";
import { type Latencies, type OthersResult, type TrafficKind, trafficKinds } from "./traffic-kinds.ts";

/** What the others found in one turn of a round. */
export interface Turn {
  kind: TrafficKind;
  beside: "hostile" | "harmless";
  /** Requests of what was beside them, a second. */
  requestsPerSecond: number;
  others: OthersResult;
}

/** A run of the bench. */
export interface FairnessReport {
  commit: string;
  node: string;
  cpu: string;
  seconds: number;
  rounds: number;
  turns: readonly Turn[];
}

/** What the times beside a hostile participant may be of those beside harmless clients. */
const ratioTarget = 2;

const calls = { reserve: "the courier's `Reserve`", find: "the checkout's `FindNearest`" } as const;

const root = join(import.meta.dirname, "../../..");

/** Prints a report, and where it is to be kept keeps it as JSON and puts it into docs/performance.md. */
export async function writeFairnessReport(report: FairnessReport, { json, isKept }: { json: boolean; isKept: boolean }): Promise<void> {
  const table = fairnessTable(report);
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : `${table}\n`);
  if (!isKept) return;
  const results = join(root, "bench/results");
  await mkdir(results, { recursive: true });
  await writeFile(join(results, "fairness.json"), `${JSON.stringify(report, null, 2)}\n`);
  await replaceSection(join(root, "docs/performance.md"), "npm run bench -- fairness", table);
}

/** The report as Markdown. */
export function fairnessTable({ commit, node, cpu, seconds, rounds, turns }: FairnessReport): string {
  const kinds = (Object.keys(trafficKinds) as TrafficKind[]).filter((kind) => turns.some((turn) => turn.kind === kind));
  return [
    `Commit ${commit}, Node ${node}, ${cpu}. The gateway on one core, everything else on another. Median of ${rounds} rounds, in each ${seconds} s beside the`,
    `hostile participant and ${seconds} s beside harmless clients with as many connections that make as many requests a second; the ratio is of one round.`,
    "",
    `| beside | of whom | requests/s, hostile and harmless | p50, ms | ratio | p99, ms | ratio | refused | target ≤ ${ratioTarget} × |`,
    "|---|---|---|---|---|---|---|---|---|",
    ...kinds.flatMap((kind) => (Object.keys(calls) as (keyof OthersResult)[]).map((call) => row(kind, call, turns))),
  ].join("\n");
}

function row(kind: TrafficKind, call: keyof OthersResult, turns: readonly Turn[]): string {
  const of = (beside: Turn["beside"]) => turns.filter((turn) => turn.kind === kind && turn.beside === beside);
  const [hostile, harmless] = [of("hostile"), of("harmless")];
  const middle = (some: readonly Turn[], value: (latencies: Latencies) => number) => median(some.map(({ others }) => value(others[call])));
  const rateOf = (some: readonly Turn[]) => Math.round(median(some.map(({ requestsPerSecond }) => requestsPerSecond)));
  const ratio = (value: (latencies: Latencies) => number) => median(ratiosOf(hostile, harmless, (turn) => value(turn.others[call])));
  const p50 = (latencies: Latencies) => latencies.p50Ms;
  const p99 = (latencies: Latencies) => latencies.p99Ms;
  const refused = hostile.reduce((sum, { others }) => sum + others[call].refused, 0);
  const isMet = refused === 0 && ratio(p50) <= ratioTarget && ratio(p99) <= ratioTarget;
  const times = (value: (latencies: Latencies) => number) => `${shown(middle(hostile, value))} and ${shown(middle(harmless, value))}`;
  return `| ${trafficKinds[kind]} | ${calls[call]} | ${rateOf(hostile)} and ${rateOf(harmless)} | ${times(p50)} | ${shown(ratio(p50))} × | ${times(p99)} | ${shown(ratio(p99))} × | ${refused} | ${isMet ? "met" : "**not met**"} |`;
}

/** The ratios of the turns of each round. */
export function ratiosOf(some: readonly Turn[], others: readonly Turn[], value: (turn: Turn) => number): number[] {
  return some.flatMap((turn, index) => {
    const other = others[index];
    return other === undefined ? [] : [value(turn) / value(other)];
  });
}

function shown(value: number): string {
  return value.toFixed(value < 10 ? 2 : 0);
}
