import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Duration } from "@bufbuild/protobuf/wkt";
import { type NearestPlaceSchema, OverflowFallback, type OverflowPolicySchema, type SiteKind } from "@petak/protocol";
import { type Command, InvalidArgumentError } from "commander";
import { usageFailure } from "../failure.ts";
import { parseDuration } from "./duration.ts";
import { idsOf } from "./id-argument.ts";
import { parseOrigin } from "./origin.ts";
import { parseWhole } from "./parcel-options.ts";
import { parseSiteKind } from "./site-kind.ts";
import { wordsOf } from "./words.ts";

const fallbacks = wordsOf(OverflowFallback);

/** The options for where a place is to be. */
export interface PlaceOptions {
  radius?: number;
  kind?: SiteKind[];
  operator?: string[];
  notOperator?: string[];
  includeUnknown?: boolean;
}

/** The options for what to do if no place is free. */
export interface OverflowOptions {
  elsewhere?: number;
  elsewhereOperator?: string[];
  wait?: Duration;
  fallback?: OverflowFallback;
}

/** A site, or a point near which a place is to be. */
export type Place = { case: "siteId"; value: string } | { case: "nearest"; value: MessageInitShape<typeof NearestPlaceSchema> };

/** The description of the argument that {@link parsePlace} parses. */
export const placeArgument = "a site, site_…, or the point to which the place shall be near, e.g. 1.3521,103.8198";

/** Parses a site's id or a position. */
export function parsePlace(text: string): Place {
  if (text.startsWith("site_")) return { case: "siteId", value: text };
  if (!/\d/.test(text))
    throw new InvalidArgumentError("Write a site's id, site_…, or latitude and longitude in degrees, e.g. 1.3521,103.8198.");
  return { case: "nearest", value: { origin: parseOrigin(text) } };
}

/** Adds the options of {@link PlaceOptions} and {@link OverflowOptions}. */
export function addPlaceOptions(command: Command): Command {
  return command
    .option("--radius <m>", "near a point: the greatest distance in m; 0: no limit", parseWhole)
    .option("--kind <terminal|store>", "near a point: only sites of this kind", (text: string) => text.split(",").map(parseSiteKind))
    .option("--operator <operator...>", "near a point: only sites of these operators, par_…", idsOf("par"))
    .option("--not-operator <operator...>", "near a point: no sites of these operators, par_…", idsOf("par"))
    .option("--include-unknown", "also sites that have not said for a while what is free")
    .option("--elsewhere <m>", "if no place is free: another site within this distance in m", parseWhole)
    .option("--elsewhere-operator <operator...>", "of these operators only, par_…", idsOf("par"))
    .option("--wait <duration>", "if no place is free: wait for one this long, e.g. 12h", parseDuration)
    .option("--fallback <what>", `what to do if there is still none: ${fallbacks.all.join(", ")}`, fallbacks.parse);
}

/** Adds the options to a place. Throws a usage failure if they do not go with a named site. */
export function toPlace(place: Place, { radius, kind, operator, notOperator }: PlaceOptions): Place {
  if (place.case === "nearest") {
    const value = { radiusM: radius ?? 0, kinds: kind ?? [], operatorIds: operator ?? [], excludedOperatorIds: notOperator ?? [] };
    return { case: "nearest", value: { ...place.value, ...value } };
  }
  if ((radius ?? kind ?? operator ?? notOperator) === undefined) return place;
  throw usageFailure(
    "--radius, --kind, --operator and --not-operator choose among sites near a point. Omit them, or give a point instead of a site.",
  );
}

/** The overflow policy for the given options. Undefined: none was declared. */
export function toOverflowPolicy(options: OverflowOptions): MessageInitShape<typeof OverflowPolicySchema> | undefined {
  const { elsewhere, elsewhereOperator, wait, fallback } = options;
  if ((elsewhere ?? elsewhereOperator ?? wait ?? fallback) === undefined) return undefined;
  return {
    maxDistanceM: elsewhere ?? 0,
    operatorIds: elsewhereOperator ?? [],
    ...(wait && { wait }),
    fallback: fallback ?? OverflowFallback.UNSPECIFIED,
  };
}
