import {
  type ColumnField,
  defaultBehaviour,
  detailsSource,
  type ImportedTrace,
  importRows,
  importTrips,
  intentionFieldNames,
  readPoints,
  type TimeUnit,
} from "@petak/simulator";
import { usageFailure } from "../failure.ts";
import { fileProblem } from "../import-sites/file-problem.ts";
import { Bounds } from "./bounds.ts";
import { cityAround } from "./city-of-files.ts";
import { type CsvFile, guessColumn, openCsvFile, parseColumns } from "./columns.ts";

/** How a CSV file becomes a trace. */
export interface ImportTraceOptions {
  path: string;
  /** `--columns`: e.g. `time=created,latitude=lat,stayMs=stay`. */
  columns: string | undefined;
  timeUnit: TimeUnit;
  /** Column of the time of collection. */
  collectedAt: string | undefined;
  /** Name for reports. */
  city: string;
  /** IANA name. Undefined: that of the places. */
  timeZone: string | undefined;
  seed: number;
}

/** A trace that was imported, and what the reader of a report must know about it. */
export interface FoundTrace extends ImportedTrace {
  readonly remarks: readonly string[];
}

const fields = ["time", ...intentionFieldNames.filter((name): name is ColumnField => name !== "id" && name !== "atMs")] as const;

/** Usual names of columns other than the fields' own, likeliest first. */
const usualNames: { readonly [field in (typeof fields)[number]]?: readonly string[] } = {
  time: ["time", "at", "timestamp", "created_at", "ordered_at", "datetime", "date_time"],
  latitude: ["latitude", "lat"],
  longitude: ["longitude", "lng", "lon", "long"],
  person: ["person", "customer", "user"],
};

/**
 * Makes a trace of a load tester's own CSV file: a row for each parcel. Columns with the names of fields need not be named. Where there is no column of stays or
 * collections, stays are drawn.
 *
 * @throws CliFailure or InputError if the file cannot be used.
 */
export async function importTrace(options: ImportTraceOptions): Promise<FoundTrace> {
  const { path, timeUnit, collectedAt, city, seed } = options;
  const csv = await openCsvFile(path);
  const given = parseColumns("--columns", options.columns, fields);
  const found = fields.flatMap((field) => {
    const column = given[field] ?? guessColumn(csv.headers, [field, ...(usualNames[field] ?? [])]);
    return column === undefined || column === collectedAt ? [] : [[field, column] as const];
  });
  const { time, ...columns } = Object.fromEntries(found) as Partial<Record<(typeof fields)[number], string>>;
  for (const [field, column] of Object.entries({ time, latitude: columns.latitude, longitude: columns.longitude })) {
    if (column === undefined) throw missingColumn(csv, field);
  }
  const hasStays = collectedAt !== undefined || columns.stayMs !== undefined;
  const drawn = drawnStays(seed);
  const trace = await importRows(csv.rows(), {
    file: csv.name,
    city,
    timeZone: options.timeZone ?? "UTC",
    time: { column: time as string, unit: timeUnit },
    columns,
    ...(collectedAt === undefined ? {} : { collectedAt }),
    ...(hasStays ? {} : { fill: drawn }),
  });
  const remark = `The intentions are the rows of ${csv.name}; fields without a column have the defaults of the trace's schema`;
  return {
    ...trace,
    remarks: [hasStays ? `${remark}.` : `${remark}, and stays are drawn by seed ${seed}, since there is no column of them.`],
  };
}

/** A trace with local hours by its places, unless a zone was given. */
function inTimeZone(trace: ImportedTrace, given: string | undefined): ImportedTrace {
  const { city } = trace.header;
  if (given !== undefined) return trace;
  return { ...trace, header: { ...trace.header, timeZone: cityAround(city, Bounds.around(trace.intentions)).timeZone } };
}

function missingColumn({ name, headers }: CsvFile, field: string): Error {
  return usageFailure(
    `${name} has no column for the ${field} that is known by its name (its columns: ${headers.join(", ") || "none"}): --columns ${field}=COLUMN names it.`,
  );
}

/** Draws the stay of each row, in the order of ids from 1. */
function drawnStays(seed: number): () => { stayMs: number | null } {
  const draw = detailsSource({ ...defaultBehaviour, purposeShares: { DELIVERY: 1, RETURN: 0, FIRST_MILE: 0 } }, seed);
  return () => ({ stayMs: draw().stayMs });
}

const tripFields = ["startAt", "startStation", "endAt", "endStation", "bike"] as const;
const tripNames: Record<(typeof tripFields)[number], readonly string[]> = {
  startAt: ["start_at", "s"],
  startStation: ["start_station", "a"],
  endAt: ["end_at", "e"],
  endStation: ["end_station", "b"],
  bike: ["bike_id", "bike"],
};

/** How a file of bike-share trips becomes a trace. `columns`: e.g. `startAt=s,startStation=a`. */
export interface ImportTripsOptions extends Omit<ImportTraceOptions, "collectedAt" | "seed"> {
  /** A CSV file with the positions of the stations by name. Undefined: positions do not matter. */
  stations: string | undefined;
}

/** Makes a trace of bike-share trips: real traffic against finite slots. @throws CliFailure or InputError if a file cannot be used. */
export async function importBikeTrips(options: ImportTripsOptions): Promise<FoundTrace> {
  const { path, timeUnit: unit, city, timeZone = "UTC" } = options;
  const csv = await openCsvFile(path);
  const given = parseColumns("--columns", options.columns, tripFields);
  const columns = Object.fromEntries(
    tripFields.map((field) => {
      const column = given[field] ?? guessColumn(csv.headers, tripNames[field]);
      if (column === undefined) throw missingColumn(csv, field);
      return [field, column];
    }),
  ) as Record<(typeof tripFields)[number], string>;
  const trace = await importTrips(csv.rows(), {
    file: csv.name,
    city,
    timeZone,
    unit,
    columns,
    stations: options.stations === undefined ? nowhere : await readStations(options.stations),
  });
  return { ...inTimeZone(trace, options.timeZone), remarks: [trace.header.drawn] };
}

/** Has every station, all at one place. */
const nowhere: ReadonlyMap<string, { latitude: number; longitude: number }> = Object.assign(new Map(), {
  get: () => ({ latitude: 0, longitude: 0 }),
});

async function readStations(path: string): Promise<Map<string, { latitude: number; longitude: number }>> {
  const csv = await openCsvFile(path);
  const ref = guessColumn(csv.headers, ["station_id", "station", "operator_site_ref", "ref", "id", "name"]);
  const latitude = guessColumn(csv.headers, ["latitude", "lat"]);
  const longitude = guessColumn(csv.headers, ["longitude", "lng", "lon"]);
  if (ref === undefined || latitude === undefined || longitude === undefined) {
    throw fileProblem(csv.name, `needs the columns station_id, latitude and longitude, not ${csv.headers.join(", ")}`);
  }
  const points = await readPoints(csv.rows(), csv.name, { latitude, longitude });
  const stations = new Map<string, { latitude: number; longitude: number }>();
  const at = csv.headers.indexOf(ref);
  let row = -1;
  for await (const { cells } of csv.rows()) {
    const point = points[row];
    if (point !== undefined) stations.set((cells[at] ?? "").trim(), { latitude: point.latitude, longitude: point.longitude });
    row += 1;
  }
  return stations;
}
