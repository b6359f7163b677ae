import { writeFile } from "node:fs/promises";
import { basename, extname } from "node:path";
import { type ComparedRun, compareReports, InputError, readReport, renderComparison } from "@petak/simulator";
import { openText } from "../import-sites/text-source.ts";
import type { Session } from "../session.ts";
import { figuresOfLog, reportFiles } from "./report-files.ts";

/** Compares two runs, each given by its figures (.json) or its log, and writes the page and its numbers. */
export async function compareRuns(session: Session, paths: readonly [a: string, b: string], out: string): Promise<void> {
  const { output } = session;
  const files = reportFiles(session, out);
  const [a, b] = [await readRun(session, paths[0]), await readRun(session, paths[1])];
  const comparison = compareReports(a, b);
  let page: string;
  try {
    page = renderComparison(comparison);
  } catch (error) {
    throw new InputError(
      { file: `${a.name} and ${b.name}` },
      "cannot be shown: a figure is missing; make the reports anew with petak report",
      {
        cause: error,
      },
    );
  }
  await writeFile(files.figures, `${JSON.stringify(comparison)}\n`);
  await writeFile(files.report, page);
  output.json({ ...files, conditions: comparison.conditions, differences: comparison.differences });
  for (const condition of comparison.conditions) output.note(condition);
  output.print(`Comparison: ${output.colors.cyan(files.report)}`);
}

async function readRun(session: Session, path: string): Promise<ComparedRun> {
  const name = basename(path);
  if (extname(path) !== ".json") return { name, report: await figuresOfLog(session, path, undefined) };
  const text = await openText(session.resolve(path));
  let content = "";
  for await (const chunk of text.read()) content += chunk;
  return { name, report: readReport(content, name) };
}
