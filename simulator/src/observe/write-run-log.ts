import { fieldsInOrder } from "./log-field.ts";
import type { Observation } from "./observation.ts";
import { fieldsOf } from "./observation-fields.ts";
import type { RunHeader } from "./run-header.ts";
import { runHeaderLine } from "./run-header-fields.ts";

/** The line of an observation, without its end: fields in their fixed order, without those that are undefined. */
export function observationLine(observation: Observation): string {
  return JSON.stringify(inOrder(observation));
}

function inOrder(observation: unknown): unknown {
  const given = observation as Record<string, unknown>;
  return { kind: given.kind, ...fieldsInOrder(fieldsOf(given.kind) ?? {}, given, inOrder) };
}

/**
 * Writes a run log as newline-delimited JSON, a line at a time. Reading a written log and writing it again gives the same bytes.
 *
 * @param observations in the order in which they were observed; the last one of kind `end`
 */
export async function* writeRunLog(
  header: RunHeader,
  observations: AsyncIterable<Observation> | Iterable<Observation>,
): AsyncGenerator<string, void, undefined> {
  yield `${runHeaderLine(header)}\n`;
  for await (const observation of observations) yield `${observationLine(observation)}\n`;
}
