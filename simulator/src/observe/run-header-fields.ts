import { InputError, type InputPlace, show } from "../input/input-error.ts";
import { asRecord } from "../input/json.ts";
import { checkHeader, headerLine } from "../trace/header.ts";
import { checkFields, type FieldsOf, fieldsInOrder, type LogFields, objectOf } from "./log-field.ts";
import { type RunHeader, runSchema, runVersion } from "./run-header.ts";

type AnyPace = { clock: "driven" | "wall"; stepMs?: number; speed?: number };

const pace = objectOf<AnyPace>({
  clock: {
    type: { kind: "choice", choices: ["driven", "wall"] },
    meaning: "`driven`: the gateway's test clock is moved from step to step. `wall`: the system's clock.",
  },
  stepMs: { type: { kind: "number", unit: "ms" }, isOptional: true, meaning: "The step, if the clock is driven." },
  speed: {
    type: { kind: "number" },
    isOptional: true,
    meaning: "What the trace has as this many ms passes in 1 ms, by the system's clock.",
  },
});

/** The fields of a run log's header, after schema and version, in the order in which they are written. */
export const runHeaderFields: FieldsOf<RunHeader> = {
  trace: { type: { kind: "object", fields: {} }, meaning: "The header of the trace, see [trace.md](trace.md#the-header)." },
  intentions: { type: { kind: "count" }, meaning: "How many intentions the trace has." },
  gateway: { type: { kind: "text" }, meaning: "The gateway's address." },
  protocol: { type: { kind: "choice", choices: ["connect", "grpc"] }, meaning: "How it was called." },
  software: { type: { kind: "text" }, meaning: "Name and version of the software that drew, ran and judged." },
  pace: { type: pace, meaning: "How the network's time passed." },
  beganAtMs: { type: { kind: "count", unit: "ms" }, meaning: "When the run began, by the network's time, since 1970." },
  beganOnMs: { type: { kind: "count", unit: "ms" }, meaning: "The same by this machine's clock." },
  faults: { type: { kind: "numbers" }, meaning: 'The faults that the run made, by name, e.g. `{"jammedDoors":0.002}`.' },
  processes: { type: { kind: "count" }, meaning: "How many processes ran it." },
  remarks: { type: { kind: "list", of: { kind: "text" } }, meaning: "What the reader of a report must know, in sentences." },
};
const { trace: _, ...fieldsWithoutTrace } = runHeaderFields;
const checked = fieldsWithoutTrace as LogFields;

/** The header's line, without its end. */
export function runHeaderLine(header: RunHeader): string {
  const trace = JSON.parse(headerLine(header.trace)) as unknown;
  const rest = fieldsInOrder(checked, header as unknown as Record<string, unknown>, () => undefined);
  return JSON.stringify({ schema: runSchema, version: runVersion, trace, ...rest });
}

/**
 * Checks the first line of a run log.
 *
 * @throws InputError if it is not one, or one of another version.
 */
export function checkRunHeader(value: unknown, place: InputPlace): RunHeader {
  const given = asRecord(value);
  if (given?.schema !== runSchema) {
    throw new InputError(place, `the first line is not the header of a run log: it must have "schema":"${runSchema}"`);
  }
  const { schema: __, version, trace, ...rest } = given;
  if (version !== runVersion) {
    throw new InputError({ ...place, field: "version" }, `${show(version)} is not the version ${runVersion}, which this release reads`);
  }
  checkFields(checked, rest, place, () => undefined);
  const { clock, stepMs, speed } = rest.pace as AnyPace;
  const [needed, other] = clock === "driven" ? [stepMs, speed] : [speed, stepMs];
  if (needed === undefined || needed <= 0 || other !== undefined) {
    const problem = `${show(rest.pace)} must have a stepMs above 0 if the clock is driven, else a speed above 0`;
    throw new InputError({ ...place, field: "pace" }, problem);
  }
  return { trace: checkHeader(trace, place), ...rest } as unknown as RunHeader;
}
