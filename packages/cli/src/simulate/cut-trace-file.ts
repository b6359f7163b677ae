import { type CutPeriod, cutHeader, cutIntentions, type TraceHeader } from "@petak/simulator";
import { usageFailure } from "../failure.ts";
import { fileProblem } from "../import-sites/file-problem.ts";
import { look, openTrace } from "./trace-file.ts";
import { writeTraceFile } from "./write-file.ts";

/**
 * Writes what begins in a part of a trace's time as a trace of its own. Memory: one line.
 *
 * @param part.from first instant of the part, by the begin of the trace. Default: that begin
 * @param part.to the instant after it. Default: the end of the trace
 * @throws CliFailure or InputError if a file cannot be used, or nothing begins in the part.
 */
export async function cutTraceFile(
  path: string,
  out: string,
  part: { from?: (startMs: number) => Date; to?: (startMs: number) => Date },
): Promise<{ header: TraceHeader; count: number }> {
  if (out === path) throw usageFailure(`${path} would be written over while it is read. Give -o another name.`);
  const whole = await openTrace(path);
  const { startAt, durationMs } = whole.header;
  const startMs = Date.parse(startAt);
  const endMs = startMs + durationMs;
  const [from, to] = [part.from?.(startMs), part.to?.(startMs)];
  for (const [option, time] of [
    ["--from", from],
    ["--to", to],
  ] as const) {
    if (time === undefined || (time.getTime() >= startMs && time.getTime() <= endMs)) continue;
    throw usageFailure(`${option} ${time.toISOString()} is outside of ${path}: the trace is ${inWords({ fromMs: startMs, toMs: endMs })}.`);
  }
  const cut = { fromMs: from?.getTime() ?? startMs, toMs: to?.getTime() ?? endMs };
  if (cut.fromMs >= cut.toMs) throw usageFailure(`The part of ${path} would be ${inWords(cut)}: give a --to after --from.`);
  const intentions = () => cutIntentions(whole.intentions, startAt, cut);
  const { count } = await look(intentions());
  if (count === 0) throw fileProblem(path, `has no intentions ${inWords(cut)}`);
  const header = cutHeader(whole.header, cut);
  await writeTraceFile(out, header, intentions());
  return { header, count };
}

function inWords({ fromMs, toMs }: CutPeriod): string {
  return `from ${new Date(fromMs).toISOString()} to ${new Date(toMs).toISOString()}`;
}
