import { type City, readDemoCities } from "../demo/cities.ts";
import { usageFailure } from "../failure.ts";

/** How many spellings are suggested. */
const suggestions = 3;

/**
 * Finds a city of the demonstration network by its name, whatever its capitals, accents and spaces; of several with one name, the largest. A country's code
 * decides among them: `San Fernando, PH`.
 *
 * @throws CliFailure that names the nearest spellings if there is no such city.
 */
export function findCity(text: string, cities: readonly City[] = readDemoCities()): City {
  const [, name = text, countryCode] = /^(.*?)\s*,\s*([a-z]{2})\s*$/i.exec(text) ?? [];
  const among = countryCode === undefined ? cities : cities.filter((city) => city.countryCode === countryCode.toUpperCase());
  const wanted = plainName(name);
  const byPopulation = among.toSorted((a, b) => b.population - a.population || a.cityId - b.cityId);
  const found = byPopulation.find((city) => plainName(city.name) === wanted);
  if (found !== undefined) return found;
  const near = byPopulation
    .map((city) => ({ city, edits: editDistance(plainName(city.name), wanted) }))
    .filter(({ edits }) => edits <= Math.max(2, Math.floor(wanted.length / 3)))
    .sort((a, b) => a.edits - b.edits);
  const nearest = near.filter(({ edits }) => edits === near[0]?.edits).map(({ city }) => city.name);
  const names = [...new Set(nearest)].slice(0, suggestions);
  const way =
    names.length > 0
      ? `did you mean ${names.join(", ")}?`
      : "the cities are those of South-East Asia in GeoNames, e.g. Singapore, Bangkok, Jakarta.";
  throw usageFailure(`There is no city ${JSON.stringify(text)} in the demonstration network: ${way}`);
}

/** A name without capitals, accents, spaces and punctuation. */
function plainName(name: string): string {
  return name
    .normalize("NFD")
    .replaceAll(/[^\p{L}\p{N}]/gu, "")
    .toLowerCase();
}

/** How many letters must be inserted, deleted or replaced to make one text the other (V. I. Levenshtein, 1966). */
function editDistance(one: string, other: string): number {
  let above = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [row, letter] of [...one].entries()) {
    const line = [row + 1];
    for (let column = 1; column <= other.length; column++) {
      const replaced = (above[column - 1] as number) + (letter === other[column - 1] ? 0 : 1);
      line.push(Math.min(replaced, (above[column] as number) + 1, (line[column - 1] as number) + 1));
    }
    above = line;
  }
  return above[other.length] as number;
}
