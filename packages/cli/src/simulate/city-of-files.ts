import { timeZoneAt } from "../places/time-zone.ts";
import type { Bounds } from "./bounds.ts";
import type { SimulatedCity } from "./city.ts";

/** How far beyond the outermost home sites still count, in m: the longest walk of the documented behaviour. */
const marginM = 2000;

/** A city that only files tell of: around their positions. @param timeZone default: that of its middle */
export function cityAround(name: string, bounds: Bounds, timeZone?: string): SimulatedCity {
  const circle = bounds.circle(marginM);
  return { name, circle, timeZone: timeZone ?? timeZoneAt(circle.latitude, circle.longitude, "").timeZone, countryCode: undefined };
}
