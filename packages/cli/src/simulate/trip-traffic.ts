import { checkoutWeek, localClock, type WeekShape } from "@petak/simulator";
import { importBikeTrips } from "./import-trace.ts";

/** When things happen and how long they stay, as bike-share trips have it. */
export interface TripTraffic {
  readonly week: WeekShape;
  /** In ms; at least one. */
  readonly observedStaysMs: readonly number[];
  /** The mapping, for the reader of a report. */
  readonly remark: string;
}

/** How a file of trips is read. See `petak trace import --stations`. */
export interface TripTrafficOptions {
  path: string;
  columns: string | undefined;
  timeUnit: "iso" | "ms" | "s" | "min";
  /** IANA name, where the trips were. */
  timeZone: string;
}

/**
 * Reads the traffic of bike-share trips: an arrival counts as an order, by its local hour and weekday; the time until the same bike's next departure as a stay.
 *
 * @throws CliFailure or InputError if the file cannot be used.
 */
export async function readTripTraffic({ path, columns, timeUnit, timeZone }: TripTrafficOptions): Promise<TripTraffic> {
  const { header, intentions } = await importBikeTrips({ path, columns, timeUnit, timeZone, city: "Trips", stations: undefined });
  const toLocalMs = localClock(timeZone);
  const startMs = Date.parse(header.startAt);
  const hours = Array.from({ length: 24 }, () => 0);
  const days = Array.from({ length: 7 }, () => 0);
  for (const { atMs } of intentions) {
    const local = new Date(toLocalMs(startMs + atMs));
    const [hour, day] = [local.getUTCHours(), (local.getUTCDay() + 6) % 7];
    hours[hour] = (hours[hour] as number) + 1;
    days[day] = (days[day] as number) + 1;
  }
  const observedStaysMs = intentions.flatMap(({ stayMs }) => stayMs ?? []);
  return {
    week: { hours, days, saleDays: checkoutWeek.saleDays },
    observedStaysMs: observedStaysMs.length > 0 ? observedStaysMs : [0],
    remark: `Hours, weekdays and stays are those of ${intentions.length.toLocaleString("en")} bike-share trips: an arrival counts as an order, the time until the same bike's next departure as a stay. This is real traffic against finite slots, not parcel demand.`,
  };
}
