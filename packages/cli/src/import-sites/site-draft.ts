import type { MessageInitShape } from "@bufbuild/protobuf";
import type { OpeningHoursSchema, Purpose, SiteKind } from "@petak/protocol";
import { type AngleResult, parseAngle, parsePosition } from "./angle.ts";
import type { ColumnMapping } from "./site-fields.ts";

/** What a file says of a site, before it is judged. Texts are trimmed; empty ones are not known. */
export interface SiteDraft {
  readonly kind: "draft";
  /** The row's number in the file, from 1, the header not counted. */
  readonly row: number;
  /** The line on which it begins, from 1. */
  readonly line: number;
  /** Empty: one is made from name and position. */
  readonly reference: string;
  readonly name: string;
  /** True where the name was put together here, so that it may be shortened. */
  readonly nameIsMade: boolean;
  readonly latitude: AngleResult;
  readonly longitude: AngleResult;
  readonly addressLines: string;
  readonly postalCode: string;
  readonly locality: string;
  readonly administrativeArea: string;
  /** Code or English name. */
  readonly country: string;
  /** Where the file itself says it. */
  readonly siteKind?: SiteKind;
  /** Where the file itself says them. */
  readonly openingHours?: MessageInitShape<typeof OpeningHoursSchema>;
  /** Where the file itself says them. */
  readonly purposes?: Purpose[];
  /** True where the file says that no step is in the way. */
  readonly isStepFree?: boolean;
}

/** How a row's cells become a draft. */
export interface DraftOptions {
  readonly mapping: ColumnMapping;
  /** What `--name` says, with columns in braces: `Site at {address}`. Undefined: the column of the name, else of the address. */
  readonly nameTemplate: string | undefined;
}

/**
 * Makes a draft of a row.
 *
 * @param row Its number in the file, from 1.
 * @param line The line on which it begins, from 1.
 * @param cell The text of a column; empty where the row has none.
 * @param geometry The position, where it does not come from columns.
 */
export function draftOf(
  { row, line }: { row: number; line: number },
  cell: (column: string) => string,
  { mapping: { columns }, nameTemplate }: DraftOptions,
  geometry?: { latitude: AngleResult; longitude: AngleResult },
): SiteDraft {
  const field = (name: Parameters<typeof columns.get>[0]) => {
    const column = columns.get(name);
    return column === undefined ? "" : oneLine(cell(column));
  };
  const addressLines = field("address.lines");
  const { latitude, longitude } = geometry ?? positionOf(field);
  const nameIsMade = nameTemplate !== undefined || !columns.has("name");
  const template = nameTemplate ?? `Site at {${columns.get("address.lines") ?? ""}}`;
  const name = nameIsMade ? oneLine(template.replaceAll(/\{([^{}]*)\}/g, (_, column: string) => cell(column))) : field("name");
  return {
    kind: "draft",
    row,
    line,
    reference: field("operator_site_ref"),
    name: nameTemplate === undefined && nameIsMade && addressLines === "" ? "" : name,
    nameIsMade,
    latitude,
    longitude,
    addressLines,
    postalCode: field("address.postal_code"),
    locality: field("address.locality"),
    administrativeArea: field("address.administrative_area"),
    country: field("address.country_code"),
  };
}

function positionOf(field: (name: "position" | "position.latitude" | "position.longitude") => string) {
  const latitude = field("position.latitude");
  const longitude = field("position.longitude");
  if (latitude === "" && longitude === "" && field("position") !== "") return parsePosition(field("position"));
  return { latitude: parseAngle(latitude, "latitude"), longitude: parseAngle(longitude, "longitude") };
}

/** Line breaks and runs of white space become single spaces. */
function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
