import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { replaceSection } from "../docs-section.ts";
import { median } from "../median.ts";
import { type Level, levels } from "./levels.ts";
import { type LifeFigure, subjects } from "./life-figure.ts";
import type { PacedRun } from "./lives.ts";
import { livesChart } from "./lives-chart.ts";

/** Delivery of events at half load. */
export interface DeliveryFigure extends PacedRun {
  level: Level;
}

/** A run of the custody bench, with everything needed to judge it. */
export interface CustodyReport {
  commit: string;
  node: string;
  /** Flavour and version of the Redis server, and version of PostgreSQL; empty if it is not installed. */
  server: string;
  postgres: string;
  cpu: string;
  seconds: number;
  rounds: number;
  lives: LifeFigure[];
  deliveries: DeliveryFigure[];
  /** Bytes of Redis for each reservation in all, by its stage. */
  bytes: Record<string, number>;
}

/** Target of the lives a second relative to PostgreSQL at the same durability. */
const ratioTarget = 5;

/** Targets of the bytes of Redis for a live reservation, and of the delay of an event to a listener at half load, p99, in ms. */
const bytesTarget = 800;
const deliveryTargetMs = 5;

/** A rate counts as kept if this share of it was reached. */
const keptShare = 0.98;

const root = join(import.meta.dirname, "../../..");

/** Prints a report. If it is to be kept, also stores it as JSON and chart, and puts it into docs/performance.md. */
export async function writeCustodyReport(report: CustodyReport, { json, isKept }: { json: boolean; isKept: boolean }): Promise<void> {
  const table = custodyTable(report);
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : `${table}\n`);
  if (!isKept) return;
  const results = join(root, "bench/results");
  await mkdir(results, { recursive: true });
  await writeFile(join(results, "custody.json"), `${JSON.stringify(report, null, 2)}\n`);
  await writeFile(join(results, "custody.svg"), livesChart(report.lives));
  await replaceSection(join(root, "docs/performance.md"), "npm run bench -- custody", table);
}

/** The report as Markdown. */
export function custodyTable(report: CustodyReport): string {
  const { commit, node, server, postgres, cpu, rounds, seconds, lives, deliveries, bytes } = report;
  return [
    `Commit ${commit}, Node ${node}, ${server}, PostgreSQL ${postgres || "not installed"}, ${cpu}. The gateway, or the process that uses a store as a library, on one core, the`,
    `store on another, with the load generator if the gateway is measured. Median of ${rounds} rounds of ${seconds} s.`,
    "",
    "| what | durability | clients | lives/s | least–most | p50, ms | p99, ms | µs CPU a life | of the store | compared with PostgreSQL | target |",
    "|---|---|---|---|---|---|---|---|---|---|---|",
    ...lives.map((figure) => lifeRow(figure, lives)),
    "",
    "Lives started at equal intervals, at half the rate of 16 clients; an event's delay is from its recording by the gateway to its arrival at the courier's stream:",
    "",
    "| durability | rounds in which the rate was kept | lives/s | a life, p50, ms | p99, ms | an event's delay, p50, ms | p99, ms | target |",
    "|---|---|---|---|---|---|---|---|",
    ...levels.map((level) => deliveryRow(level, deliveries)),
    "",
    "| a reservation that is | bytes of Redis, all included | target |",
    "|---|---|---|",
    ...Object.entries(bytes).map(([stage, each]) => {
      // Ended reservations are not live.
      const target = stage === "held" ? verdict(each <= bytesTarget, `≤ ${bytesTarget}`) : "";
      return `| ${stage} | ${Math.round(each)} | ${target} |`;
    }),
    "",
    "![Whole lives a second](../bench/results/custody.svg)",
  ].join("\n");
}

function lifeRow({ subject, level, clients, ...figure }: LifeFigure, all: readonly LifeFigure[]): string {
  const rate = median(figure.livesPerSecond);
  const peer = all.find((each) => each.subject === "postgres" && each.level === level && each.clients === clients);
  const isCompared = subject === "records" && peer !== undefined;
  const ratio = rate / median(peer?.livesPerSecond ?? []);
  const cpuRatio = median(peer?.storeCpuMicros ?? []) / median(figure.storeCpuMicros);
  const cells = [
    subjects[subject],
    level,
    clients,
    Math.round(rate),
    `${Math.round(Math.min(...figure.livesPerSecond))}–${Math.round(Math.max(...figure.livesPerSecond))}`,
    median(figure.p50Ms).toFixed(2),
    median(figure.p99Ms).toFixed(2),
    Math.round(median(figure.workCpuMicros)),
    Math.round(median(figure.storeCpuMicros)),
    isCompared ? `${ratio.toFixed(1)}, by the store's CPU ${cpuRatio.toFixed(1)}` : "",
    isCompared ? verdict(ratio >= ratioTarget, `≥ ${ratioTarget}`) : "",
  ];
  return `| ${cells.join(" | ")} |`;
}

function deliveryRow(level: Level, deliveries: readonly DeliveryFigure[]): string {
  const all = deliveries.filter((figure) => figure.level === level);
  const kept = all.filter(({ wanted, lives, seconds }) => lives / seconds >= wanted * keptShare);
  if (kept.length === 0) return `| ${level} | 0 of ${all.length} | | | | | | not measured: the machine did not keep its speed |`;
  const middle = (of: (figure: DeliveryFigure) => number) => median(kept.map(of));
  const p99Ms = middle(({ deliveryP99Ms }) => deliveryP99Ms);
  const cells = [
    level,
    `${kept.length} of ${all.length}`,
    Math.round(middle(({ wanted }) => wanted)),
    middle(({ p50Ms }) => p50Ms).toFixed(2),
    middle((figure) => figure.p99Ms).toFixed(2),
    middle(({ deliveryP50Ms }) => deliveryP50Ms).toFixed(2),
    p99Ms.toFixed(2),
    verdict(p99Ms <= deliveryTargetMs, `≤ ${deliveryTargetMs}`),
  ];
  return `| ${cells.join(" | ")} |`;
}

function verdict(isMet: boolean, target: string): string {
  return `${target}: ${isMet ? "met" : "**not met**"}`;
}
