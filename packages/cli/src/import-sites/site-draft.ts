import type { MessageInitShape } from "@bufbuild/protobuf";
import type { OpeningHoursSchema, Purpose, SiteKind } from "@petak/protocol";
import { type AngleResult, parseAngle, parsePosition } from "./angle.ts";
import type { ColumnMapping } from "./site-fields.ts";

/** The unchecked content of a row. Texts are trimmed; empty means unknown. */
export interface SiteDraft {
  readonly kind: "draft";
  /** The row's number in the file, from 1, without the header. */
  readonly row: number;
  /** Its first line, from 1. */
  readonly line: number;
  /** Empty: derived from name and position. */
  readonly reference: string;
  readonly name: string;
  /** True if the name was composed here and may be shortened. */
  readonly nameIsMade: boolean;
  readonly latitude: AngleResult;
  readonly longitude: AngleResult;
  readonly addressLines: string;
  readonly postalCode: string;
  readonly locality: string;
  readonly administrativeArea: string;
  /** Code or English name. */
  readonly country: string;
  /** If the file contains it. */
  readonly siteKind?: SiteKind;
  /** If the file contains them. */
  readonly openingHours?: MessageInitShape<typeof OpeningHoursSchema>;
  /** If the file contains them. */
  readonly purposes?: Purpose[];
  /** True if the file says that access is step-free. */
  readonly isStepFree?: boolean;
}

/** How to make a draft from a row. */
export interface DraftOptions {
  readonly mapping: ColumnMapping;
  /** Template of `--name`, with columns in braces: `Site at {address}`. Undefined: the name's column, else the address's. */
  readonly nameTemplate: string | undefined;
}

/**
 * Makes a draft of a row.
 *
 * @param row its number in the file, from 1
 * @param line its first line, from 1
 * @param cell returns the text of a column; empty if the row has none
 * @param geometry the position, if it does not come from columns
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

/** Replaces line breaks and runs of white space by single spaces. */
function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
