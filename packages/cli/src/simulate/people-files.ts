import {
  type Feature,
  InputError,
  type People,
  type Point,
  type PopulatedArea,
  peopleAtPoints,
  peopleInPolygons,
  readPoints,
  readPolygons,
  weighPoints,
} from "@petak/simulator";
import { usageFailure } from "../failure.ts";
import { fileProblem } from "../import-sites/file-problem.ts";
import { readJsonMembers } from "../import-sites/json-members.ts";
import { openText, type TextSource } from "../import-sites/text-source.ts";
import { formatCount } from "../terminal/progress.ts";
import { csvOf, guessColumn, parseColumns } from "./columns.ts";

/** How files of people are read. */
export interface PeopleFileOptions {
  /** One CSV file of points, one GeoJSON file of areas, or one of each: then the residents of each area are divided among the points in it. */
  paths: readonly string[];
  /** `--people-columns`: e.g. `latitude=lat,longitude=lng,weight=residents`. */
  columns: string | undefined;
  /** `--people-property`: the one of GeoJSON that holds the number of residents. */
  property: string | undefined;
  seed: number;
}

/** People as files tell of them. */
export interface FoundPeople {
  people: People;
  /** How they are known, for the header of the trace. */
  from: string;
  /** What the reader of a report must know, in sentences. */
  remarks: readonly string[];
}

const pointFields = ["latitude", "longitude", "weight"] as const;

/** Usual names of columns, likeliest first. */
const usualNames = {
  latitude: ["latitude", "lat", "y"],
  longitude: ["longitude", "lng", "lon", "long", "x"],
  weight: ["weight", "residents", "population", "pop", "people", "inhabitants", "households"],
} as const;

/**
 * Reads the people of a city from files.
 *
 * @throws CliFailure or InputError if one cannot be used.
 */
export async function readPeople(options: PeopleFileOptions): Promise<FoundPeople> {
  let points: { from: string; points: Point[]; isWeighted: boolean } | undefined;
  let areas: { from: string; areas: PopulatedArea[] } | undefined;
  for (const path of options.paths) {
    const text = await openText(path);
    const isGeoJson = await startsWithBrace(text);
    if (isGeoJson ? areas !== undefined : points !== undefined) {
      throw usageFailure(`--people takes one CSV file of points and one GeoJSON file of areas, but ${text.name} is another of one kind.`);
    }
    if (isGeoJson) areas = { from: text.name, areas: await areasOf(text, options.property) };
    else points = { from: text.name, ...(await pointsOf(text, options.columns)) };
  }
  if (points !== undefined && areas !== undefined) return together(points, areas);
  if (areas !== undefined) return { people: peopleInPolygons(areas.areas, options.seed), from: areas.from, remarks: [] };
  if (points === undefined) throw usageFailure("--people needs a file.");
  const weights = points.isWeighted ? "" : " There is no column of weights, so each point counts as one person.";
  return {
    people: peopleAtPoints(points.points),
    from: points.from,
    remarks: weights === "" ? [] : [`People live at the points of ${points.from}.${weights}`],
  };
}

function together(points: { from: string; points: Point[] }, areas: { from: string; areas: PopulatedArea[] }): FoundPeople {
  const weighed = weighPoints(points.points, areas.areas);
  if (weighed.points.length === 0) {
    throw new InputError(
      { file: points.from },
      `none of its points is in an area of ${areas.from}: are they of one city, and latitude and longitude right?`,
    );
  }
  const leftOut = `${formatCount(weighed.outside)} points lie in no area, and ${formatCount(weighed.unplaced)} residents in areas without a point; both are left out`;
  return {
    people: peopleAtPoints(weighed.points),
    from: `${points.from}, by the residents of ${areas.from}`,
    remarks: [
      `People live at the points of ${points.from}; the residents of each area of ${areas.from} are divided among the points in it, by their weights. ${leftOut}.`,
    ],
  };
}

async function startsWithBrace(text: TextSource): Promise<boolean> {
  for await (const piece of text.read()) {
    const start = piece.trimStart();
    if (start.startsWith("[")) throw fileProblem(text.name, "holds a JSON list: people are read from a FeatureCollection, or from CSV");
    if (start !== "") return start.startsWith("{");
  }
  throw fileProblem(text.name, "holds nothing but white space");
}

async function pointsOf(text: TextSource, given: string | undefined): Promise<{ points: Point[]; isWeighted: boolean }> {
  const { name, headers, rows } = await csvOf(text);
  const columns = parseColumns("--people-columns", given, pointFields);
  const latitude = columns.latitude ?? guessColumn(headers, usualNames.latitude);
  const longitude = columns.longitude ?? guessColumn(headers, usualNames.longitude);
  const weight = columns.weight ?? guessColumn(headers, usualNames.weight);
  if (latitude === undefined || longitude === undefined) {
    const missing = latitude === undefined ? "latitude" : "longitude";
    throw usageFailure(
      `${name} has no column for the ${missing} that is known by its name (its columns: ${headers.join(", ")}): --people-columns ${missing}=COLUMN names it.`,
    );
  }
  const points = await readPoints(rows(), name, { latitude, longitude, ...(weight === undefined ? {} : { weight }) });
  return { points, isWeighted: weight !== undefined };
}

async function areasOf(text: TextSource, given: string | undefined): Promise<PopulatedArea[]> {
  const property = given ?? (await guessProperty(text));
  return await readPolygons(featuresOf(text), text.name, property);
}

async function guessProperty(text: TextSource): Promise<string> {
  for await (const { value } of featuresOf(text)) {
    const names = Object.keys((value as { properties?: object } | null)?.properties ?? {});
    const found = guessColumn(names, usualNames.weight) ?? names.find((name) => /residents|population|people|inhabitants/i.test(name));
    if (found !== undefined) return found;
    throw usageFailure(
      `${text.name} has no property that is known to hold the number of residents (those of its first feature: ${names.join(", ") || "none"}): --people-property NAME names it.`,
    );
  }
  throw fileProblem(text.name, "has no features: people are read from the polygons of a FeatureCollection");
}

async function* featuresOf(text: TextSource): AsyncGenerator<Feature, void, undefined> {
  for await (const member of readJsonMembers(text.read(), ["features"], text.name)) {
    if (member.kind === "element") yield { line: member.line, value: member.value };
  }
}
