import { checkAngle } from "./angle.ts";
import { fileProblem } from "./file-problem.ts";
import { type JsonMember, readJsonMembers } from "./json-members.ts";
import type { Refusal } from "./refusal.ts";
import { draftOf, type SiteDraft } from "./site-draft.ts";
import { checkNames, mapColumns } from "./site-fields.ts";
import type { OpenSource } from "./site-source.ts";

/** Number of features from which the columns are determined, since features may lack properties. */
const featuresLookedAt = 100;

/** Opens a GeoJSON file: a FeatureCollection of points in WGS84 (RFC 7946). Properties are columns. */
export const openGeoJson: OpenSource = async (text, options) => {
  const headers = new Set<string>();
  let seen = 0;
  for await (const member of readJsonMembers(text.read(), ["features"], text.name)) {
    if (member.kind !== "element") continue;
    for (const header of columnsOf(member.value).keys()) headers.add(header);
    seen += 1;
    if (seen === featuresLookedAt) break;
  }
  const mapping = mapColumns([...headers], options.columns, true);

  checkNames(mapping, options.nameTemplate, [...headers]);

  function toDraft({ line, value }: JsonMember, row: number): SiteDraft | Refusal {
    const columns = columnsOf(value);
    const cell = (column: string) => columns.get(column) ?? "";
    const point = pointOf(value);
    if (typeof point !== "string") return draftOf({ row, line }, cell, { mapping, nameTemplate: options.nameTemplate }, point);
    const nowhere = { latitude: checkAngle(Number.NaN, "latitude"), longitude: checkAngle(Number.NaN, "longitude") };
    const { reference, name } = draftOf({ row, line }, cell, { mapping, nameTemplate: options.nameTemplate }, nowhere);
    return { kind: "refusal", row, line, reason: "not-a-point", message: point, reference, name };
  }

  return {
    format: "geojson",
    description: "GeoJSON",
    mapping,
    async *drafts(observer) {
      let type: unknown;
      let hasFeatures = false;
      let row = 0;
      for await (const member of readJsonMembers(text.read(observer), ["features"], text.name)) {
        if (member.kind === "element") {
          row += 1;
          yield toDraft(member, row);
        } else if (member.name === "type") type = member.value;
        else if (member.name === "features") hasFeatures = true;
        else if (member.name === "crs" && !isWgs84(member.value)) {
          throw fileProblem(text.name, "is not in WGS84, by its member crs: convert it to longitude and latitude (EPSG:4326)", member.line);
        }
      }
      if (type !== "FeatureCollection" || !hasFeatures) {
        const what = typeof type === "string" ? `a ${type}` : "no GeoJSON";
        throw fileProblem(text.name, `is ${what}: only a FeatureCollection of points can be imported`);
      }
    },
  };
};

/** A feature's id and scalar properties, as texts. */
function columnsOf(feature: unknown): Map<string, string> {
  const { id, properties } = asRecord(feature);
  const columns = new Map<string, string>();
  if (typeof id === "string" || typeof id === "number") columns.set("id", String(id));
  for (const [name, value] of Object.entries(asRecord(properties))) {
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") columns.set(name, String(value));
  }
  return columns;
}

/** A feature's position, or the error. */
function pointOf(feature: unknown) {
  const { type, geometry } = asRecord(feature);
  if (type !== "Feature") return `the element is ${typeof type === "string" ? `a ${type}` : "no GeoJSON"}, not a Feature`;
  if (geometry === null || geometry === undefined) return "the feature has no geometry";
  const { type: geometryType, coordinates } = asRecord(geometry);
  if (geometryType !== "Point")
    return `the geometry is ${typeof geometryType === "string" ? `a ${geometryType}` : "none"}; only points can be sites`;
  const [longitude, latitude] = Array.isArray(coordinates) ? (coordinates as unknown[]) : [];
  if (typeof longitude !== "number" || typeof latitude !== "number") return "the point's coordinates are not two numbers, longitude first";
  return { latitude: checkAngle(latitude, "latitude"), longitude: checkAngle(longitude, "longitude") };
}

/** Names of the reference system that RFC 7946 prescribes; earlier files could name one. */
function isWgs84(crs: unknown): boolean {
  const { name } = asRecord(asRecord(crs).properties);
  return crs === null || (typeof name === "string" && /CRS84|EPSG:{1,2}4326|WGS.?84/i.test(name));
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
