import { parseTime, type TimeUnit } from "../input/cells.ts";
import { InputError } from "../input/input-error.ts";
import { type Row, readTable } from "../input/table.ts";
import { buildTrace, type Happening, type ImportedTrace, type TraceFacts } from "./build-trace.ts";

/** How the columns of a file of bike-share trips are read. */
export interface TripOptions extends TraceFacts {
  unit: TimeUnit;
  /** Names of the columns: start time, start station, end time, end station, bike. */
  columns: { startAt: string; startStation: string; endAt: string; endStation: string; bike: string };
  /** Positions of the stations, by name. */
  stations: ReadonlyMap<string, { latitude: number; longitude: number }>;
}

interface Trip {
  readonly line: number;
  readonly startMs: number;
  readonly startStation: string;
  readonly endMs: number;
  readonly endStation: string;
}

/**
 * Makes a trace of bike-share trips: real traffic against finite slots, not parcel demand. An arrival becomes a deposit, wanted at that station; the same bike's next
 * departure becomes the collection. If that departs from another station, an operator has moved the bike in between: a RECALL, which happened no later
 * than the departure. The last arrival of a bike is never collected.
 *
 * @throws InputError at the first row that cannot be read.
 */
export async function importTrips(rows: AsyncIterable<Row> | Iterable<Row>, options: TripOptions): Promise<ImportedTrace> {
  const { file, unit, columns, stations } = options;
  const tripsByBike = new Map<string, Trip[]>();
  for await (const { line, cell } of readTable(rows, file, Object.values(columns))) {
    const time = (column: string) => parseTime(cell(column), unit, { file, line, field: column });
    const trip = {
      line,
      startMs: time(columns.startAt),
      startStation: cell(columns.startStation),
      endMs: time(columns.endAt),
      endStation: cell(columns.endStation),
    };
    if (trip.endMs < trip.startMs) throw new InputError({ file, line, field: columns.endAt }, "the trip ends before it starts");
    const bike = cell(columns.bike);
    const trips = tripsByBike.get(bike);
    if (trips === undefined) tripsByBike.set(bike, [trip]);
    else trips.push(trip);
  }
  const happenings = [...tripsByBike].flatMap(([bike, trips]) => arrivalsOf(bike, trips, options));
  const mapping = "an arrival is a deposit, the bike's next departure its collection, a move by the operator a recall";
  return buildTrace(happenings, options, {
    drawn: `Imported from the bike-share trips of ${file}: ${mapping}. Real traffic against finite slots, not parcel demand.`,
    parameters: { file, unit, columns, stations: stations.size },
    nameInFile: (field) => ({ atMs: columns.endAt, siteRef: columns.endStation, person: columns.bike })[field] ?? field,
  });
}

function arrivalsOf(bike: string, trips: Trip[], { file, columns, stations }: TripOptions): Happening[] {
  trips.sort((a, b) => a.startMs - b.startMs || a.endMs - b.endMs);
  return trips.map(({ line, endMs, endStation }, index) => {
    const position = stations.get(endStation);
    if (position === undefined) {
      throw new InputError({ file, line, field: columns.endStation }, `the station ${endStation} is not in the list of stations`);
    }
    const next = trips[index + 1];
    const fields = {
      person: `bike-${bike}`,
      siteRef: endStation,
      ...position,
      stayMs: next === undefined ? null : Math.max(0, next.startMs - endMs),
      collectBy: next === undefined || next.startStation === endStation ? "TOKEN" : "RECALL",
    };
    return { line, atMs: endMs, fields };
  });
}
