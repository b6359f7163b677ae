import type { Field } from "./field.ts";
import { headerLine, type TraceHeader } from "./header.ts";
import { type Intention, intentionFieldNames, intentionFields } from "./intention.ts";

/** The line of an intention, without its end: fields in their fixed order, without those that have their default. */
export function intentionLine(intention: Intention): string {
  const written: Record<string, string | number | null> = {};
  for (const name of intentionFieldNames) {
    const field: Field = intentionFields[name];
    if (field.ifAbsent === undefined || intention[name] !== field.ifAbsent) written[name] = intention[name];
  }
  return JSON.stringify(written);
}

/**
 * Writes a trace as newline-delimited JSON, a line at a time. There is one text for each trace: reading a written trace and writing it again gives the
 * same bytes.
 *
 * @param intentions valid, in order of time
 */
export async function* writeTrace(
  header: TraceHeader,
  intentions: AsyncIterable<Intention> | Iterable<Intention>,
): AsyncGenerator<string, void, undefined> {
  yield `${headerLine(header)}\n`;
  for await (const intention of intentions) yield `${intentionLine(intention)}\n`;
}
