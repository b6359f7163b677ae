import { createHash } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { PetakError, type Site, SiteKind, SiteSchema, type SiteService, validateMessage } from "@petak/protocol";
import type { WeeklyHours } from "../places/opening-hours.ts";
import { timeZoneAt } from "../places/time-zone.ts";
import { type AngleResult, checkAngle } from "./angle.ts";
import type { ImportedMix } from "./compartments.ts";
import { countryCodeOf } from "./country-code.ts";
import type { Refusal, RefusalReason } from "./refusal.ts";
import type { SiteDraft } from "./site-draft.ts";

/** Defaults for all sites of an import. */
export interface SiteSettings {
  /** Undefined: the file contains it. */
  readonly siteKind: SiteKind | undefined;
  readonly isTest: boolean;
  /** Undefined: a column contains it. */
  readonly countryCode: string | undefined;
  mixFor(kind: SiteKind): ImportedMix;
  hoursFor(kind: SiteKind): WeeklyHours;
  /** What the sites offer. Default: nothing. */
  readonly services?: readonly SiteService[];
  /** True: accept positions that look swapped given their country. */
  readonly trustCoordinates: boolean;
}

/** A site that can be imported, judging by the file alone. */
export interface CheckedSite {
  readonly kind: "site";
  readonly row: number;
  readonly line: number;
  readonly site: Site;
  /** False if the position seems to be in another country; unreliable near borders and coasts. */
  readonly agreesWithCountry: boolean;
}

const longestName = 120;
const longestLine = 200;
const mostLines = 4;

/** Builds the site of a draft, or returns why it is refused. */
export function buildSite(draft: SiteDraft, settings: SiteSettings): CheckedSite | Refusal {
  const refuse = (reason: RefusalReason, message: string): Refusal => {
    return { kind: "refusal", row: draft.row, line: draft.line, reason, message, reference: draft.reference, name: draft.name };
  };
  const position = judgePosition(draft.latitude, draft.longitude);
  if (!position.ok) return refuse(position.reason, position.message);
  const { latitude, longitude } = position;
  if (draft.country === "" && settings.countryCode === undefined) {
    return refuse("no-country", "the row names no country: give --country, or map a column with --map address.country_code=COLUMN");
  }
  const countryCode = draft.country === "" ? settings.countryCode : countryCodeOf(draft.country);
  if (countryCode === undefined)
    return refuse("unknown-country", `"${draft.country}" is not a country: write its two-letter code, e.g. SG, or its English name`);
  const zone = timeZoneAt(latitude, longitude, countryCode);
  if (!zone.agreesWithCountry && !settings.trustCoordinates && looksSwapped(latitude, longitude, countryCode)) {
    return refuse(
      "swapped",
      `latitude ${latitude} and longitude ${longitude} lie outside ${countryCode}, and the other way round within: they look swapped (--trust-coordinates takes them as they are)`,
    );
  }
  if (draft.name === "") return refuse("no-name", "the row has no name");
  const kind = draft.siteKind ?? settings.siteKind ?? SiteKind.PARCEL_TERMINAL;
  const mix = settings.mixFor(kind);
  const site = create(SiteSchema, {
    operatorSiteRef: draft.reference === "" ? derivedReference(draft.name, latitude, longitude) : draft.reference,
    kind,
    name: draft.nameIsMade ? shorten(draft.name) : draft.name,
    position: { latitude, longitude },
    address: {
      countryCode,
      administrativeArea: draft.administrativeArea,
      locality: draft.locality,
      postalCode: draft.postalCode,
      lines: toLines(draft.addressLines),
    },
    timeZone: zone.timeZone,
    openingHours: draft.openingHours ?? settings.hoursFor(kind),
    access: draft.isStepFree === true ? { stepFree: true } : undefined,
    sizeClasses: mix.sizeClasses,
    compartments: kind === SiteKind.PARCEL_TERMINAL ? mix.compartments : [],
    isTest: settings.isTest,
    purposes: draft.purposes ?? [],
    services: [...(settings.services ?? [])],
  });
  try {
    validateMessage(SiteSchema, site);
  } catch (error) {
    if (error instanceof PetakError) return refuse("invalid-field", error.message);
    throw error;
  }
  return { kind: "site", row: draft.row, line: draft.line, site, agreesWithCountry: zone.agreesWithCountry };
}

type PositionResult =
  | { readonly ok: true; readonly latitude: number; readonly longitude: number }
  | { readonly ok: false; readonly reason: RefusalReason; readonly message: string };

function judgePosition(latitude: AngleResult, longitude: AngleResult): PositionResult {
  if (latitude.ok && longitude.ok) {
    if (latitude.degrees === 0 && longitude.degrees === 0) {
      return { ok: false, reason: "null-island", message: "the position is 0, 0, in the Gulf of Guinea: it stands for none" };
    }
    return { ok: true, latitude: round(latitude.degrees), longitude: round(longitude.degrees) };
  }
  const wrong = latitude.ok ? longitude : latitude;
  if (wrong.ok) throw new Error("unreachable: one of the angles is wrong");
  const reasons = { empty: "no-position", unreadable: "unreadable-position", "out-of-range": "out-of-range", swapped: "swapped" } as const;
  if (!latitude.ok && latitude.problem === "out-of-range" && couldBeSwapped(latitude, longitude)) {
    return { ok: false, reason: "swapped", message: `${latitude.message}: latitude and longitude look swapped` };
  }
  return { ok: false, reason: reasons[wrong.problem], message: wrong.message };
}

function couldBeSwapped(latitude: AngleResult, longitude: AngleResult): boolean {
  if (latitude.degrees === undefined || !longitude.ok) return false;
  return checkAngle(latitude.degrees, "longitude").ok && checkAngle(longitude.degrees, "latitude").ok;
}

function looksSwapped(latitude: number, longitude: number, countryCode: string): boolean {
  return Math.abs(longitude) <= 90 && timeZoneAt(longitude, latitude, countryCode).agreesWithCountry;
}

/** Gateways store positions with seven decimals. */
function round(degrees: number): number {
  return Math.round(degrees * 1e7) / 1e7;
}

/** The same place gets the same reference in every run, at any row. */
function derivedReference(name: string, latitude: number, longitude: number): string {
  const digest = createHash("sha256").update(`${name}\n${latitude}\n${longitude}`).digest("hex");
  return `imp-${digest.slice(0, 20)}`;
}

function shorten(name: string): string {
  const characters = [...name];
  return characters.length <= longestName ? name : `${characters.slice(0, longestName - 1).join("")}…`;
}

/** Breaks a long address at commas or spaces. What does not fit into four lines stays too long, so that validation refuses it. */
function toLines(address: string): string[] {
  if (address === "") return [];
  const lines: string[] = [];
  let rest = address;
  while (rest.length > longestLine && lines.length < mostLines - 1) {
    const head = rest.slice(0, longestLine);
    const at = head.lastIndexOf(",") > 0 ? head.lastIndexOf(",") + 1 : head.lastIndexOf(" ") > 0 ? head.lastIndexOf(" ") : longestLine;
    lines.push(rest.slice(0, at).trim());
    rest = rest.slice(at).trim();
  }
  return [...lines, rest];
}
