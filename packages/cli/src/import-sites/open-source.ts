import { openCsv } from "./csv-source.ts";
import { openDhl } from "./dhl-source.ts";
import { fileProblem } from "./file-problem.ts";
import { openGeoJson } from "./geojson-source.ts";
import type { FileFormat, OpenSource, SiteSource, SourceOptions } from "./site-source.ts";
import { openText } from "./text-source.ts";

const openers: Record<FileFormat, OpenSource> = { csv: openCsv, geojson: openGeoJson, dhl: openDhl };

/** A file of sites and its size. */
export interface OpenedFile {
  readonly name: string;
  readonly sizeBytes: number;
  readonly source: SiteSource;
}

/**
 * Opens a list of sites.
 *
 * @param format undefined: detected. A JSON object with `locations` is DHL's, any other is GeoJSON; anything else is CSV
 * @throws CliFailure if the file cannot be read with these options.
 */
export async function openSites(path: string, format: FileFormat | undefined, options: SourceOptions): Promise<OpenedFile> {
  const text = await openText(path);
  let start = "";
  for await (const piece of text.read()) {
    start += piece;
    if (start.trim() !== "") break;
  }
  const decided = format ?? detectFormat(start, text.name);
  return { name: text.name, sizeBytes: text.sizeBytes, source: await openers[decided](text, options) };
}

function detectFormat(start: string, fileName: string): FileFormat {
  const trimmed = start.trimStart();
  if (trimmed.startsWith("["))
    throw fileProblem(fileName, "holds a JSON list: only a FeatureCollection or an answer of DHL's Location Finder can be imported");
  if (trimmed.startsWith("<")) throw fileProblem(fileName, "looks like XML, KML or a web page: convert it to CSV or GeoJSON");
  if (!trimmed.startsWith("{")) return "csv";
  // DHL's errors have neither list, but a status and a title.
  const firstOf = (...names: string[]) => Math.min(...names.map((name) => indexOrEnd(trimmed, `"${name}"`)));
  return firstOf("locations", "status", "title") < firstOf("features", "FeatureCollection", "Feature", "geometry") ? "dhl" : "geojson";
}

function indexOrEnd(text: string, part: string): number {
  const index = text.indexOf(part);
  return index < 0 ? Number.POSITIVE_INFINITY : index;
}
