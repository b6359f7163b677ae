import { CliFailure, usageFailure } from "../failure.ts";

/** Importable fields, by their paths in the protocol, with the usual column names (ignoring case and punctuation), likeliest first. */
const guesses = {
  operator_site_ref: words(
    "operator_site_ref site_ref reference ref site_id locker_id store_id branch_id branch_code store_code code id car_park_no number no",
  ),
  name: words("name title site_name store_name branch_name location_name branch label"),
  "position.latitude": words("latitude lat lat_dd y lat_wgs84 wgs84_lat gps_lat geo_lat gps_latitude latitud"),
  "position.longitude": words(
    "longitude lng lon long lng_dd lon_dd long_dd x lng_wgs84 lon_wgs84 wgs84_lng wgs84_lon gps_lng gps_lon geo_lng geo_lon gps_longitude longitud",
  ),
  position: words("position coordinates coordinate coords lat_lng lat_lon lat_long gps geo_point geo_point_2d"),
  "address.lines": words("address street street_address address_line_1 address_1 addr full_address alamat"),
  "address.postal_code": words("postcode postal_code zip zip_code poskod plz"),
  "address.locality": words("city locality town municipality place"),
  "address.administrative_area": words("state province region administrative_area admin1 negeri"),
  "address.country_code": words("country_code country iso_country iso2"),
} as const;

/** An importable field of a site. */
export type SiteField = keyof typeof guesses;

/** All fields, in display order. */
export const siteFields = Object.keys(guesses) as SiteField[];

/** The columns of the fields. */
export interface ColumnMapping {
  readonly columns: ReadonlyMap<SiteField, string>;
  /** The fields whose column was guessed by its name. */
  readonly guessed: ReadonlySet<SiteField>;
}

/**
 * Parses `--map`: pairs of field and column, `position.latitude=Y,name=branch`. A comma ends a pair only if another field follows, so column names may contain commas.
 *
 * @throws CliFailure (usage) if a field is unknown.
 */
export function parseColumnMap(texts: readonly string[]): Map<SiteField, string> {
  const columns = new Map<SiteField, string>();
  for (const pair of texts.flatMap((text) => text.split(/,(?=\s*[a-z_.]+\s*=)/))) {
    const [, field = "", column = ""] = /^\s*([^=]*?)\s*=\s*(.*?)\s*$/.exec(pair) ?? [];
    if (!isSiteField(field)) throw usageFailure(`--map knows no field "${field || pair}". Fields: ${siteFields.join(", ")}.`);
    if (column === "") throw usageFailure(`--map names no column for ${field}: write ${field}=COLUMN.`);
    columns.set(field, column);
  }
  return columns;
}

function isSiteField(text: string): text is SiteField {
  return Object.hasOwn(guesses, text);
}

/**
 * Determines the columns of the fields: as given, otherwise by the columns' names, ignoring case and punctuation.
 *
 * @param headers the file's columns
 * @param explicit the columns given with `--map`
 * @param hasGeometry true: positions do not come from columns
 * @throws CliFailure if a given column does not exist or exists twice, or if there is none for the position.
 */
export function mapColumns(headers: readonly string[], explicit: ReadonlyMap<SiteField, string>, hasGeometry: boolean): ColumnMapping {
  const columns = new Map<SiteField, string>();
  const guessed = new Set<SiteField>();
  for (const [field, wanted] of explicit) {
    const found = headers.find((header) => header === wanted) ?? headers.find((header) => plain(header) === plain(wanted));
    if (found === undefined)
      throw usageFailure(`--map ${field}=${wanted}: the file has no column "${wanted}". Its columns: ${list(headers)}.`);
    columns.set(field, found);
  }
  const taken = new Set(columns.values());
  for (const field of siteFields) {
    if (columns.has(field) || (hasGeometry && field.startsWith("position"))) continue;
    if (field === "position" && columns.has("position.latitude") && columns.has("position.longitude")) continue;
    const column = guesses[field]
      .map((name) => headers.find((header) => plain(header) === plain(name) && !taken.has(header)))
      .find((header) => header !== undefined);
    if (column === undefined) continue;
    columns.set(field, column);
    guessed.add(field);
    taken.add(column);
  }
  for (const column of columns.values()) {
    if (headers.filter((header) => header === column).length > 1) {
      throw new CliFailure(`The file has several columns "${column}". Give them different names.`, { reason: "file-unreadable" });
    }
  }
  const hasPosition = columns.has("position") || (columns.has("position.latitude") && columns.has("position.longitude"));
  if (!hasGeometry && !hasPosition) {
    throw new CliFailure(
      `No column looks like latitude and longitude. Say which ones are: --map position.latitude=COLUMN,position.longitude=COLUMN. The file's columns: ${list(headers)}.`,
      { reason: "no-position-column" },
    );
  }
  return { columns, guessed };
}

/**
 * Checks that sites have names, from a column, the address or the template.
 *
 * @throws CliFailure if they have none, or if the template names an unknown column.
 */
export function checkNames({ columns }: ColumnMapping, template: string | undefined, headers: readonly string[]): void {
  if (template === undefined && !columns.has("name") && !columns.has("address.lines")) {
    throw new CliFailure(
      `No column looks like a name. Say which one is with --map name=COLUMN, or make names with --name, e.g. --name "Site {COLUMN}". The file's columns: ${list(headers)}.`,
      { reason: "no-name-column" },
    );
  }
  for (const [, column = ""] of (template ?? "").matchAll(/\{([^{}]*)\}/g)) {
    if (headers.includes(column)) continue;
    throw usageFailure(`--name uses {${column}}, which is not a column of the file. Its columns: ${list(headers)}.`);
  }
}

function words(text: string): readonly string[] {
  return text.split(" ");
}

/** Normalises a name for comparison without case and punctuation. */
function plain(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
}

function list(headers: readonly string[]): string {
  return headers.length === 0 ? "none" : headers.map((header) => (header === "" ? "(no name)" : header)).join(", ");
}
