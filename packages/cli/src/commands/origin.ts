import { InvalidArgumentError } from "commander";
import { parsePosition } from "../import-sites/angle.ts";

/** Parses a position in degrees, or in degrees, minutes and seconds. */
export function parseOrigin(text: string): { latitude: number; longitude: number } {
  const { latitude, longitude } = parsePosition(text);
  for (const angle of [latitude, longitude]) {
    if (!angle.ok) throw new InvalidArgumentError(`${angle.message}. Write latitude and longitude in degrees, e.g. 1.3521,103.8198.`);
  }
  return { latitude: latitude.ok ? latitude.degrees : 0, longitude: longitude.ok ? longitude.degrees : 0 };
}
