import { basename } from "node:path";
import type { TimeUnit } from "@petak/simulator";
import { type Command, InvalidArgumentError, Option } from "commander";
import { type DemandOptions, defaultCity } from "./demand.ts";
import type { ImportTraceOptions } from "./import-trace.ts";
import { collect, decimalNumber, wholeNumber } from "./parse-number.ts";
import { mostDays } from "./period.ts";

/** Options of drawing a trace. */
export interface DrawOptions extends DemandOptions {
  from?: string;
  days: number;
  parcels?: number;
}

/** Adds the options of {@link DrawOptions}. */
export function addDemandOptions(command: Command): Command {
  return command
    .option("--city <name>", `a city of the demonstration network, in South-East Asia (default: ${defaultCity})`)
    .option("--people <file>", "who lives where: CSV points with weights, or GeoJSON polygons with residents, or both", collect)
    .option("--people-columns <field=column,…>", "columns of the CSV: latitude, longitude, weight (default: by their names)")
    .option("--people-property <name>", "property of the GeoJSON with the number of residents (default: by its name)")
    .option("--trips <file>", "take hours, weekdays and stays from a CSV of bike-share trips: start and end, stations, bike")
    .addOption(timeUnit("--trips-time-unit <unit>", "how the trips' times are written"))
    .option("--trips-time-zone <name>", "time zone of the trips", parseTimeZone, "UTC")
    .option("--seed <number>", "another seed draws other people and parcels", wholeNumber(0, Number.MAX_SAFE_INTEGER), 1)
    .option("--from <date>", "first day, e.g. 2026-11-11, a sale day (default: the next that begins)")
    .option("--days <count>", "days of the city's time, e.g. 0.5", decimalNumber("number of days", 0.001, mostDays), 7)
    .option("--parcels <count>", "parcels on an ordinary day (default: 10 for each 1,000 residents)", wholeNumber(1, 10_000_000));
}

/** Options of making a trace of a CSV file. */
export interface ImportTraceCommandOptions {
  columns?: string;
  timeUnit: TimeUnit;
  collectedAt?: string;
  timeZone?: string;
  city?: string;
  seed: number;
}

/** Adds the options of {@link ImportTraceCommandOptions}. */
export function addImportOptions(command: Command): Command {
  return command
    .option("--columns <field=column,…>", "columns of the CSV: time, latitude, longitude, stayMs, … (default: by their names)")
    .addOption(timeUnit("--time-unit <unit>", "how the CSV writes times: with an offset from UTC, or as a number since 1970"))
    .option("--collected-at <column>", "column of the CSV with the time of collection")
    .option("--time-zone <name>", "time zone of the CSV's places, for local hours in reports (default: by their positions)", parseTimeZone)
    .option("--city <name>", "name for reports (default: the CSV's)")
    .option("--seed <number>", "draws what the CSV does not have", wholeNumber(0, Number.MAX_SAFE_INTEGER), 1);
}

function timeUnit(flags: string, description: string): Option {
  return new Option(flags, description).choices(["iso", "ms", "s", "min"]).default("iso");
}

/** What the options say of an import. */
export function importFacts(path: string, options: ImportTraceCommandOptions): ImportTraceOptions {
  const { columns, timeUnit, collectedAt, timeZone, seed } = options;
  const name = basename(path).replace(/\.[^.]+$/, "");
  return { path, columns, timeUnit, collectedAt, timeZone, seed, city: options.city ?? (name.slice(0, 100) || "A city") };
}

function parseTimeZone(text: string): string {
  try {
    new Intl.DateTimeFormat("en", { timeZone: text });
    return text;
  } catch {
    throw new InvalidArgumentError(`"${text}" is no time zone: write e.g. Asia/Singapore.`);
  }
}
