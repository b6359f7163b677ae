import { InputError } from "../input/input-error.ts";
import { checkIntention } from "./check-intention.ts";
import { checkHeader, headerLine, type ParameterValue, type TraceHeader } from "./header.ts";
import type { Intention } from "./intention.ts";

/** What an import states about its trace. */
export interface TraceFacts {
  /** Name of the file, for messages. */
  file: string;
  city: string;
  /** IANA name. */
  timeZone: string;
  /** Values of fields that a row does not have, by its id. Default: those of the schema. */
  fill?: (id: number) => Partial<Intention>;
}

/** Something that a row of a file tells. */
export interface Happening {
  /** Its line in the file, from 1. */
  readonly line: number;
  /** In ms since 1970. */
  readonly atMs: number;
  /** Fields of the intention. */
  readonly fields: Readonly<Record<string, string | number | null>>;
}

/** A trace in memory. */
export interface ImportedTrace {
  readonly header: TraceHeader;
  readonly intentions: readonly Intention[];
}

/** Most rows of an import, because they are sorted in memory: 1.8 GB. */
const mostRows = 1_000_000;

const hourMs = 3_600_000;

/**
 * Makes a trace of what happened: in order of time, those of one time in the order of their lines; from the full hour before the first to the one after the last.
 *
 * @throws InputError if there is nothing, too much, or a field is out of its range.
 */
export function buildTrace(
  happenings: Happening[],
  { file, city, timeZone, fill = () => ({}) }: TraceFacts,
  how: { drawn: string; parameters: object; nameInFile: (field: string) => string },
): ImportedTrace {
  if (happenings.length === 0) throw new InputError({ file }, "has no rows below the header");
  if (happenings.length > mostRows)
    throw new InputError({ file }, `has ${happenings.length} rows, more than ${mostRows}: split it by time`);
  const sorted = happenings.sort((a, b) => a.atMs - b.atMs || a.line - b.line);
  const startMs = Math.floor((sorted[0]?.atMs ?? 0) / hourMs) * hourMs;
  const durationMs = Math.floor(((sorted.at(-1)?.atMs ?? 0) - startMs) / hourMs + 1) * hourMs;
  const header = checkHeader(
    JSON.parse(
      headerLine({
        seed: null,
        city,
        timeZone,
        startAt: new Date(startMs).toISOString(),
        durationMs,
        drawn: how.drawn,
        parameters: how.parameters as { [name: string]: ParameterValue },
      }),
    ),
    { file },
  );
  const intentions = sorted.map(({ line, atMs, fields }, index) => {
    const id = index + 1;
    return checkIntention({ person: `row-${line}`, ...fill(id), ...fields, id, atMs: atMs - startMs }, { file, line }, how.nameInFile);
  });
  return { header, intentions };
}
