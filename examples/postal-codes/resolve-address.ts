/** A place that an address may mean: what the picker's `resolveAddress` returns. */
export interface Address {
  /** For the shopper to read. */
  readonly label: string;
  /** Degrees (WGS84). */
  readonly latitude: number;
  /** Degrees (WGS84). */
  readonly longitude: number;
}

/** An area with postal codes of its own. */
export interface Area {
  /** With what its postal codes begin. The longest that fits an address counts, so a table may have both sectors and whole codes. */
  readonly prefixes: readonly string[];
  readonly latitude: number;
  readonly longitude: number;
  readonly name: string;
}

/** What a shopper must type of a name, at least. */
const shortestName = 3;
/** How many areas of a name are offered. */
const mostAnswers = 6;

/**
 * Reads a table of areas: a line for each, with `prefixes` (with spaces between), `latitude`, `longitude` and `name`, separated by tabs. Lines that begin with `#` are
 * comments, and the first other line has the names of the columns.
 *
 * @throws Error naming the line that is wrong
 */
export function readAreas(text: string): readonly Area[] {
  const lines = text.split(/\r?\n/).map((line, index) => ({ line, number: index + 1 }));
  const [, ...rows] = lines.filter(({ line }) => line !== "" && !line.startsWith("#"));
  return rows.map(({ line, number }) => {
    const [prefixes = "", latitude = "", longitude = "", name = ""] = line.split("\t");
    const area = {
      prefixes: prefixes.split(" "),
      latitude: Number(latitude || Number.NaN),
      longitude: Number(longitude || Number.NaN),
      name,
    };
    const isGood = /^\d+( \d+)*$/.test(prefixes) && Math.abs(area.latitude) <= 90 && Math.abs(area.longitude) <= 180 && name !== "";
    if (!isGood) throw new Error(`Line ${number} is '${line}': it must be prefixes, latitude, longitude and name, separated by tabs.`);
    return area;
  });
}

/**
 * Finds what an address may mean: by its postal code, or by the name of an area.
 *
 * @param codeLength the digits of a postal code
 */
export function createAddressResolver(areas: readonly Area[], codeLength: number): (text: string) => readonly Address[] {
  const code = new RegExp(`(?<!\\d)\\d{${codeLength}}(?!\\d)`);
  const byPrefix = new Map(areas.flatMap((area) => area.prefixes.map((prefix) => [prefix, area] as const)));

  function areaOf(postalCode: string): Area | undefined {
    for (let length = codeLength; length > 0; length -= 1) {
      const area = byPrefix.get(postalCode.slice(0, length));
      if (area !== undefined) return area;
    }
    return undefined;
  }

  return (text) => {
    const [postalCode] = code.exec(text) ?? [];
    if (postalCode !== undefined) {
      const area = areaOf(postalCode);
      return area === undefined ? [] : [{ label: `${postalCode}, ${area.name}`, latitude: area.latitude, longitude: area.longitude }];
    }
    const name = text.trim().toLowerCase();
    if (name.length < shortestName) return [];
    const named = areas.filter((area) => area.name.toLowerCase().includes(name)).slice(0, mostAnswers);
    return named.map((area) => ({ label: area.name, latitude: area.latitude, longitude: area.longitude }));
  };
}
