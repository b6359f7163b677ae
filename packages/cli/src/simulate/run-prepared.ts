import { writeFile } from "node:fs/promises";
import { judgeThreshold, type Report, renderReport, type Summary } from "@petak/simulator";
import { CliFailure, toFailure } from "../failure.ts";
import type { Session } from "../session.ts";
import { describeResult, type RunResult, resultJson } from "./describe-result.ts";
import { describeRun } from "./describe-run.ts";
import { execute } from "./execute.ts";
import { createLiveView } from "./live-view.ts";
import type { OutputFiles } from "./output-files.ts";
import type { PreparedRun } from "./prepared-run.ts";
import { createRecorder } from "./recorder.ts";
import { openRunLog } from "./run-log-file.ts";
import { writeTraceFile } from "./write-file.ts";

/**
 * Runs what was prepared and writes its trace, log and report: of what there is, however it ends.
 *
 * @throws CliFailure if the run is not complete or not valid, something was true that must never be, or a threshold was missed.
 */
export async function runPrepared(session: Session, run: PreparedRun): Promise<void> {
  const { output, io } = session;
  const { files, options, trace } = run;
  if (files.record !== undefined) await writeTraceFile(files.record, trace.header, trace.intentions);
  describeRun(output, run);
  const signal = io.interruption();
  const view = createLiveView({ output, signal });
  const recorder = createRecorder(run, openRunLog(files.log), view);
  let inside = 0;
  let defect: { error: unknown } | undefined;
  try {
    ({ inside = 0 } = await execute(run, recorder, signal));
  } catch (error) {
    defect = { error };
  } finally {
    view.end();
  }
  const logProblem = await recorder.end();
  const measured = await recorder.result();
  if (measured === undefined) throw defect?.error;
  const result = { ...(await conclude(measured, options.threshold ?? [], files)), inside };
  describeResult(output, result);
  const why = [...failuresOf(result), ...(logProblem === undefined ? [] : [logProblem])];
  if (defect !== undefined) why.unshift(toFailure(defect.error, run.url).message);
  if (why.length === 0) return output.json(resultJson(result));
  throw new CliFailure(why.join(" "), { reason: reasonOf(result, defect), result: resultJson(result), cause: defect?.error });
}

/** Judges the thresholds, and writes the report and its figures. */
async function conclude(
  { report, summary }: { report: Report; summary: Summary },
  thresholds: readonly Parameters<typeof judgeThreshold>[0][],
  files: OutputFiles,
): Promise<Omit<RunResult, "inside">> {
  await writeFile(files.figures, `${JSON.stringify(report, undefined, 1)}\n`);
  await writeFile(files.report, renderReport(report));
  return { report, files, thresholds: thresholds.map((threshold) => judgeThreshold(threshold, summary)) };
}

/** Why a run is not a success, in sentences. */
function failuresOf({ report: { run, violations }, thresholds }: RunResult): string[] {
  const missed = thresholds.filter(({ isMet }) => !isMet).map(({ text }) => text);
  return [
    ...(run.end === "interrupted" ? ["Interrupted: the report is of what there is."] : []),
    ...(run.end === "gateway-lost"
      ? [`The gateway was lost${run.endReason === null ? "" : ` (${run.endReason})`}: the report is of what there is.`]
      : []),
    ...(violations.count > 0 ? [`${violations.count} violations of what must always be true: the report has the evidence.`] : []),
    ...(run.end === "complete" && violations.count === 0 && !run.isValid
      ? ["The run is invalid, since the load generator itself was late: use a lower rate or a quieter machine."]
      : []),
    ...(missed.length > 0 ? [`Missed: ${missed.join(", ")}.`] : []),
  ];
}

function reasonOf({ report: { run, violations } }: RunResult, defect: object | undefined): string {
  if (defect !== undefined) return "run-broken";
  if (run.end !== "complete") return run.end;
  if (violations.count > 0) return "violations";
  return run.isValid ? "thresholds-missed" : "run-invalid";
}
