import { InputError } from "../input/input-error.ts";
import { asRecord } from "../input/json.ts";
import { checkIntention, orderCheck } from "./check-intention.ts";
import { checkHeader, type TraceHeader } from "./header.ts";
import type { Intention } from "./intention.ts";
import { type Line, parseLine, readLines } from "./lines.ts";

/** A trace: its header, and its intentions in order of time. They can be iterated once. */
export interface Trace {
  readonly header: TraceHeader;
  readonly intentions: AsyncIterable<Intention>;
}

/**
 * Reads a trace, a line at a time: memory does not grow with its length.
 *
 * @param pieces the text of the file, in pieces of any size
 * @param file its name, for messages
 * @throws InputError at the first line that is not right: of the header at once, of an intention while iterating.
 */
export async function readTrace(pieces: AsyncIterable<string> | Iterable<string>, file: string): Promise<Trace> {
  const lines = readLines(pieces, file);
  const first = await lines.next();
  if (first.done === true) throw new InputError({ file }, "is empty");
  const place = { file, line: 1 };
  const header = checkHeader(parseLine(first.value, place), place);
  return { header, intentions: readIntentions(lines, header, file) };
}

async function* readIntentions(lines: AsyncIterable<Line>, header: TraceHeader, file: string): AsyncGenerator<Intention, void, undefined> {
  const checkOrder = orderCheck();
  for await (const line of lines) {
    const place = { file, line: line.number };
    const given = asRecord(parseLine(line, place));
    if (given === undefined) throw new InputError(place, "the line is not a JSON object");
    const intention = checkIntention(given, place);
    checkOrder(intention, place);
    if (intention.atMs >= header.durationMs) {
      throw new InputError({ ...place, field: "atMs" }, `${intention.atMs} is not below the header's durationMs, ${header.durationMs}`);
    }
    yield intention;
  }
}
