import { CutOffError, InputError, type InputPlace, show } from "../input/input-error.ts";
import { asRecord } from "../input/json.ts";
import { type Line, parseLine, readLines } from "../trace/lines.ts";
import { checkFields } from "./log-field.ts";
import type { Observation } from "./observation.ts";
import { fieldsOf, logKinds } from "./observation-fields.ts";
import type { RunHeader } from "./run-header.ts";
import { checkRunHeader } from "./run-header-fields.ts";

/** Longest line in characters: metrics and evidence are long. */
const longestLine = 4 * 1024 * 1024;

/** A run log: its header, and what was observed in that order. The observations can be iterated once. */
export interface RunLog {
  readonly header: RunHeader;
  /** Throws InputError at the first line that is not right, and {@link CutOffError} after the last whole line if the log has no end. */
  readonly observations: AsyncIterable<Observation>;
}

/**
 * Reads a run log, a line at a time: memory does not grow with its length. The log of a run that was killed has no end; what is there can be used by who
 * catches the CutOffError.
 *
 * @param pieces the text of the file, in pieces of any size
 * @param file its name, for messages
 * @throws InputError if the header is not right.
 */
export async function readRunLog(pieces: AsyncIterable<string> | Iterable<string>, file: string): Promise<RunLog> {
  const lines = readLines(pieces, file, longestLine);
  const first = await lines.next();
  if (first.done === true) throw new InputError({ file }, "is empty");
  const place = { file, line: 1 };
  return { header: checkRunHeader(parseLine(first.value, place), place), observations: readObservations(lines, file) };
}

async function* readObservations(lines: AsyncIterable<Line>, file: string): AsyncGenerator<Observation, void, undefined> {
  let last: Observation | undefined;
  for await (const line of lines) {
    const place = { file, line: line.number };
    if (last?.kind === "end") throw new InputError(place, 'follows the line of kind "end", which must be the last');
    last = checkObservation(parseLine(line, place), place);
    yield last;
  }
  if (last?.kind !== "end") throw new CutOffError({ file }, "the run log is cut off: it has no line of its end, so the run was killed");
}

function checkObservation(value: unknown, place: InputPlace): Observation {
  const given = asRecord(value);
  if (given === undefined) throw new InputError(place, "the line is not a JSON object");
  const { kind, ...rest } = given;
  checkFields(fieldsOfKind(kind, place), rest, place, checkEvidence);
  return given as unknown as Observation;
}

function fieldsOfKind(kind: unknown, place: InputPlace) {
  const fields = fieldsOf(kind);
  if (fields !== undefined) return fields;
  throw new InputError({ ...place, field: "kind" }, `${show(kind)} is unknown; the kinds are ${Object.keys(logKinds).join(", ")}`);
}

/** Evidence has no evidence in turn. */
function checkEvidence(value: unknown, place: InputPlace): void {
  if (asRecord(value)?.kind === "violation") throw new InputError(place, "a violation cannot be the evidence of another one");
  checkObservation(value, place);
}
