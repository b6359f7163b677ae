import { writeFile } from "node:fs/promises";
import { CutOffError, createFigures, type Report, readRunLog, renderReport } from "@petak/simulator";
import { usageFailure } from "../failure.ts";
import { openText } from "../import-sites/text-source.ts";
import type { Session } from "../session.ts";
import { openTrace } from "./trace-file.ts";

/** Makes the report of a run log. Of a log that is cut off, that of what there is. */
export async function reportOfLog(session: Session, log: string, options: { out: string; trace?: string }): Promise<void> {
  const { output } = session;
  const files = reportFiles(session, options.out);
  const report = await figuresOfLog(session, log, options.trace);
  await writeFile(files.figures, `${JSON.stringify(report, undefined, 1)}\n`);
  await writeFile(files.report, renderReport(report));
  output.json({ ...files, end: report.run.end, isValid: report.run.isValid });
  output.print(`Report: ${output.colors.cyan(files.report)}`);
}

/** The files of a report: it, and its figures beside it. */
export function reportFiles(session: Pick<Session, "resolve">, out: string): { report: string; figures: string } {
  if (!out.endsWith(".html")) throw usageFailure(`The report "${out}" must end in .html: its figures are beside it as .json.`);
  const report = session.resolve(out);
  return { report, figures: `${report.slice(0, -".html".length)}.json` };
}

/** The figures of a run log. @param trace the file of its trace, if there is one */
export async function figuresOfLog(session: Session, log: string, trace: string | undefined): Promise<Report> {
  const text = await openText(session.resolve(log));
  const { header, observations } = await readRunLog(text.read(), text.name);
  const figures = createFigures(header);
  if (trace !== undefined) {
    const { intentions } = await openTrace(session.resolve(trace));
    for await (const intention of intentions) figures.intend(intention);
  }
  try {
    for await (const observation of observations) figures.observe(observation);
  } catch (error) {
    if (!(error instanceof CutOffError)) throw error;
    session.output.note(error.message);
  }
  return figures.figures();
}
