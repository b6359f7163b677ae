import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { replaceSection } from "../docs-section.ts";
import { tracingModes } from "./modes.ts";

/** What the gateways are asked to do. */
export const tracedWorks = { search: "FindNearest from all over the city", life: "a whole life" } as const;
export type TracedWork = keyof typeof tracedWorks;

/** The processor time of some work in a mode, as a ratio to that without traces, with an interval that holds it with 95 %. */
export interface TracingFigure {
  work: TracedWork;
  mode: string;
  ratio: number;
  low: number;
  high: number;
  /** Of one search or one life, without traces and in the mode. */
  withoutMicros: number;
  withMicros: number;
}

/** A run of the bench. */
export interface TracingReport {
  node: string;
  cpu: string;
  rounds: number;
  cycles: number;
  figures: readonly TracingFigure[];
}

const root = join(import.meta.dirname, "../../..");
const command = "npm run bench -- tracing";

/** Prints a report, and where it is to be kept keeps it as JSON and puts it into docs/performance.md. */
export async function writeTracingReport(report: TracingReport, { json, isKept }: { json: boolean; isKept: boolean }): Promise<void> {
  const table = reportTable(report);
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : `${table}\n`);
  if (!isKept) return;
  const results = join(root, "bench/results");
  await mkdir(results, { recursive: true });
  await writeFile(join(results, "tracing.json"), `${JSON.stringify(report, null, 2)}\n`);
  await replaceSection(join(root, "docs/performance.md"), command, table);
}

/** The report as Markdown. */
export function reportTable({ node, cpu, rounds, cycles, figures }: TracingReport): string {
  const works = (Object.keys(tracedWorks) as TracedWork[]).filter((work) => figures.some((figure) => figure.work === work));
  const [first, ...modes] = tracingModes;
  const of = (work: TracedWork, mode: string) => figures.find((figure) => figure.work === work && figure.mode === mode);
  const baseline = (work: TracedWork) =>
    `1 (${Math.round(figures.find((figure) => figure.work === work)?.withoutMicros ?? Number.NaN)} µs)`;
  const cell = (work: TracedWork, mode: string) => {
    const { ratio = Number.NaN, low = Number.NaN, high = Number.NaN, withMicros = Number.NaN } = of(work, mode) ?? {};
    return `${ratio.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)}; ${Math.round(withMicros)} µs)`;
  };
  return [
    `Node ${node}, ${cpu}. Rounds with fresh gateways on one core: ${rounds}, each of ${cycles} times two turns of each gateway over 16 connections, Connect JSON, log level \`warn\`.`,
    "Processor time of the gateway, as a ratio to that without traces; in brackets the 95 % interval and the time of one.",
    "",
    `| traces | ${works.map((work) => tracedWorks[work]).join(" | ")} |`,
    `|---|${works.map(() => "---|").join("")}`,
    `| ${first.name} | ${works.map(baseline).join(" | ")} |`,
    ...modes.map(({ name }) => `| ${name} | ${works.map((work) => cell(work, name)).join(" | ")} |`),
  ].join("\n");
}
