import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { replaceSection } from "../docs-section.ts";
import type { Share } from "./shares.ts";

/** What the gateway is asked to do. */
export const workNames = { search: "FindNearest from all over the city", life: "a whole life" } as const;
export type Work = keyof typeof workNames;

/** What a special path saves of the processor time of some work. */
export interface RentFigure extends Share {
  work: Work;
  path: string;
  beside: "nothing" | "everything";
}

/** A run of the bench. */
export interface RentReport {
  commit: string;
  node: string;
  cpu: string;
  /** Sittings of each comparison, with fresh gateways. */
  rounds: number;
  pairsOfSitting: number;
  /** How often a gateway does its work in a turn. */
  turns: Record<Work, number>;
  figures: readonly RentFigure[];
}

const root = join(import.meta.dirname, "../../..");

/** Prints a report, and where it is to be kept keeps it as JSON and puts it into docs/performance.md. */
export async function writeRentReport(report: RentReport, { json, isKept }: { json: boolean; isKept: boolean }): Promise<void> {
  const table = reportTable(report);
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : `${table}\n`);
  if (!isKept) return;
  const results = join(root, "bench/results");
  await mkdir(results, { recursive: true });
  await writeFile(join(results, "rent.json"), `${JSON.stringify(report, null, 2)}\n`);
  await replaceSection(join(root, "docs/performance.md"), "npm run bench -- rent", table);
}

/** The report as Markdown. */
export function reportTable({ commit, node, cpu, rounds, pairsOfSitting, turns, figures }: RentReport): string {
  const paths = [...new Set(figures.map(({ path }) => path))];
  const works = Object.keys(workNames) as Work[];
  const cell = (path: string, work: RentFigure["work"], beside: RentFigure["beside"]) => {
    const figure = figures.find((each) => each.path === path && each.work === work && each.beside === beside);
    return figure === undefined ? "" : shownShare(figure);
  };
  return [
    `Commit ${commit}, Node ${node}, ${cpu}. For each figure ${rounds} times two fresh gateways on one core, each time ${pairsOfSitting} pairs of two turns of`,
    `${turns.search} searches or ${turns.life} lives over 16 connections, Connect JSON. In brackets the 95 % interval, and the processor time without and with the path.`,
    "",
    `| special path | ${works.flatMap((work) => [`${workNames[work]}: alone`, "beside all others"]).join(" | ")} |`,
    `|---|${works.map(() => "---|---|").join("")}`,
    ...paths.map(
      (path) => `| ${path} | ${works.flatMap((work) => [cell(path, work, "nothing"), cell(path, work, "everything")]).join(" | ")} |`,
    ),
  ].join("\n");
}

function shownShare({ share, low, high, withoutMicros, withMicros }: Share): string {
  const percent = (value: number) => (value * 100).toFixed(1);
  return `${percent(share)} % (${percent(low)} to ${percent(high)}; ${Math.round(withoutMicros)} to ${Math.round(withMicros)} µs)`;
}
