import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { replaceSection } from "../../docs-section.ts";
import { chart } from "./chart.ts";
import type { AllocatorReport } from "./figure.ts";
import { reportTable } from "./table.ts";

const root = join(import.meta.dirname, "../../../..");

/** Prints a report. If it is to be kept, also stores it as JSON and chart, and puts it into docs/performance.md. */
export async function writeReport(report: AllocatorReport, { json, isKept }: { json: boolean; isKept: boolean }): Promise<void> {
  const table = reportTable(report);
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : `${table}\n`);
  if (!isKept) return;
  const results = join(root, "bench/results");
  await mkdir(results, { recursive: true });
  await writeFile(join(results, "allocator.json"), `${JSON.stringify(report, null, 2)}\n`);
  await writeFile(join(results, "allocator.svg"), chart(report.figures));
  await replaceSection(join(root, "docs/performance.md"), "npm run bench -- allocator", table);
}
