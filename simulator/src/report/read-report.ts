import { InputError, show } from "../input/input-error.ts";
import { asRecord } from "../input/json.ts";
import { type Report, reportSchema, reportVersion } from "./report.ts";

/** The parts that every report has. */
const parts = [
  "run",
  "steps",
  "demand",
  "walk",
  "occupancy",
  "cells",
  "sites",
  "stays",
  "queues",
  "load",
  "endReasons",
  "violations",
  "gateway",
] as const;

/**
 * Reads the figures of a run, `report.json`. Looks at the schema, the version and that no part is missing, not at each figure.
 *
 * @param file its name, for messages
 * @throws InputError if it is something else
 */
export function readReport(text: string, file: string): Report {
  const value = asRecord(parse(text, file));
  if (value?.schema !== reportSchema) {
    throw new InputError(
      { file },
      `is not the figures of a run: it must have "schema":"${reportSchema}"; petak report makes them of a run log`,
    );
  }
  if (value.version !== reportVersion) {
    throw new InputError(
      { file, field: "version" },
      `${show(value.version)} is not the version ${reportVersion}, which this release reads`,
    );
  }
  const missing = parts.find((part) => typeof value[part] !== "object" || value[part] === null);
  if (missing !== undefined) throw new InputError({ file, field: missing }, "is missing, and every report has it");
  return value as unknown as Report;
}

function parse(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InputError({ file }, "is not JSON", { cause: error });
  }
}
