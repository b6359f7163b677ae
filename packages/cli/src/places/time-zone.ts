import lookUp from "@photostructure/tz-lookup";

/** The time zone of a point. */
export interface TimeZoneAnswer {
  /** IANA name, e.g. `Asia/Singapore`. */
  readonly timeZone: string;
  /** False if the map has the point in another country's zone; unreliable within some kilometres of borders and coasts. */
  readonly agreesWithCountry: boolean;
}

const probeDistancesDegrees = [0.1, 0.25, 0.5, 1, 2];

/** The runtime still lists some zones under old names. */
const presentNames: Record<string, string> = {
  "Asia/Calcutta": "Asia/Kolkata",
  "Asia/Katmandu": "Asia/Kathmandu",
  "Asia/Rangoon": "Asia/Yangon",
  "Asia/Saigon": "Asia/Ho_Chi_Minh",
};

const canonicalNames = new Map<string, string>();
const zonesByCountry = new Map<string, ReadonlySet<string>>();

/**
 * The time zone of a point.
 *
 * The map is coarse at borders and coasts (it has Dili in Makassar's zone), so a zone of another country is replaced by the country's only zone, or by the nearest of
 * its zones within two degrees.
 *
 * @param countryCode ISO 3166-1 alpha-2; "" if unknown
 */
export function timeZoneAt(latitude: number, longitude: number, countryCode: string): TimeZoneAnswer {
  const found = lookUp(latitude, longitude);
  const zones = countryZones(countryCode);
  if (zones.size === 0 || zones.has(canonicalName(found))) return { timeZone: found, agreesWithCountry: true };
  const [only, ...others] = zones;
  if (only !== undefined && others.length === 0) return { timeZone: presentNames[only] ?? only, agreesWithCountry: false };
  for (const distance of probeDistancesDegrees) {
    for (let bearing = 0; bearing < 16; bearing += 1) {
      const angle = (bearing * Math.PI) / 8;
      const probed = lookUp(
        Math.min(90, Math.max(-90, latitude + distance * Math.sin(angle))),
        Math.min(180, Math.max(-180, longitude + distance * Math.cos(angle))),
      );
      if (zones.has(canonicalName(probed))) return { timeZone: probed, agreesWithCountry: false };
    }
  }
  return { timeZone: found, agreesWithCountry: false };
}

/** The country of a point, by its time zone: ISO 3166-1 alpha-2. Undefined at sea, and where several countries share a zone. */
export function countryAt(latitude: number, longitude: number): string | undefined {
  const zone = canonicalName(lookUp(latitude, longitude));
  const letters = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];
  const countries = letters.flatMap((first) => letters.map((second) => first + second)).filter((code) => countryZones(code).has(zone));
  return countries.length === 1 ? countries[0] : undefined;
}

/** Canonical names of a country's zones; empty if the runtime knows none. */
function countryZones(countryCode: string): ReadonlySet<string> {
  let zones = zonesByCountry.get(countryCode);
  if (zones === undefined) {
    const names = /^[A-Z]{2}$/.test(countryCode) ? (new Intl.Locale(`und-${countryCode}`).getTimeZones() ?? []) : [];
    zones = new Set(names.map(canonicalName));
    zonesByCountry.set(countryCode, zones);
  }
  return zones;
}

/** Maps old and new names of a zone (`Asia/Saigon`, `Asia/Ho_Chi_Minh`) to one. */
function canonicalName(timeZone: string): string {
  let name = canonicalNames.get(timeZone);
  if (name === undefined) {
    name = new Intl.DateTimeFormat("en", { timeZone }).resolvedOptions().timeZone;
    canonicalNames.set(timeZone, name);
  }
  return name;
}
