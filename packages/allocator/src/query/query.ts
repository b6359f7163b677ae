import { type ParcelRequirement, PassedOverReason, type Purpose, type SiteKind } from "@petak/protocol";
import type { Position } from "@petak/protocol/geo";
import { recordFlag } from "../block/record.ts";
import { kindFlag, purposeFlag, requirementFlag } from "../block/record-flags.ts";
import type { ParcelMeasures, PlaceNeeds } from "../block/size-profile.ts";

/** Constraints on a site regardless of its position. All are hard filters. */
export interface SiteQuery {
  /** The parcel that must fit. */
  parcel: ParcelMeasures;
  /** The purpose that the site must serve. */
  purpose: Purpose;
  /** Whether to search the test network only, or the live network only. */
  isTest: boolean;
  /** Accepted kinds; empty: all. */
  kinds: readonly SiteKind[];
  /** Accepted operators; empty: all. */
  operatorIds: readonly string[];
  /** Excluded operators. */
  excludedOperatorIds: readonly string[];
  /** Whether a hard hold is required, that is a named compartment. Default false. */
  isHard?: boolean;
  /** Requirements that the site must meet for the parcel. Default: none. */
  parcelRequirements?: readonly ParcelRequirement[];
  /** Accepted countries, ISO 3166-1 alpha-2. Default, and if empty: all. */
  countryCodes?: readonly string[];
  /** Further requirements on the site. Default: none. */
  needs?: SiteNeeds;
  /** Instant at which the availability must be known, in ms since 1970. Default: the last report is accepted however old it is. */
  knownAtMs?: number;
}

/** A query for the nearest sites. */
export interface NearestQuery extends SiteQuery {
  /** Position from which distances are measured. */
  origin: Position;
  /** Greatest number of candidates, from 1. */
  limit: number;
  /** Greatest distance in m, inclusive; Infinity for no limit. */
  radiusM: number;
  /** Whether to include sites without a free place in a satisfying size class. Default false. */
  includesFull?: boolean;
}

/** Further requirements on a site and its places. */
export interface SiteNeeds extends PlaceNeeds {
  stepFree: boolean;
  cardPayment: boolean;
  /** Instant at which it must be open, in ms since 1970. Undefined: no constraint. */
  openAtMs: number | undefined;
  /** It must be open for a total of `atLeastMs` within [fromMs, toMs). Undefined: no constraint. */
  openWithin: { fromMs: number; toMs: number; atLeastMs: number } | undefined;
}

/** A record matches if `(flags & mask) === value`. */
export interface FlagFilter {
  mask: number;
  value: number;
}

/** A filter over a record's flags, with the reason that excludes a site which does not match. */
export interface FlagCheck extends FlagFilter {
  reason: PassedOverReason;
}

/** The filter for the test or the live network. */
export function networkFilter({ isTest }: SiteQuery): FlagFilter {
  return { mask: recordFlag.test, value: isTest ? recordFlag.test : 0 };
}

/** The checks of a query over a record's flags, without the network, in the order of the reasons. */
export function flagChecks(query: SiteQuery): FlagCheck[] {
  const wanted: [PassedOverReason, number][] = [
    [PassedOverReason.KIND, wantedKind(query)],
    [PassedOverReason.PURPOSE, purposeFlag(query.purpose)],
    [PassedOverReason.PARCEL_REQUIREMENT, wantedRequirements(query)],
    [PassedOverReason.STEP_FREE, wantedStepFree(query)],
    [PassedOverReason.CARD_PAYMENT, wantedCardPayment(query)],
  ];
  const checks = wanted.map(([reason, flags]) => ({ reason, mask: flags, value: flags }));
  return [...checks, { reason: PassedOverReason.NO_NAMED_COMPARTMENT, ...namedFilter(query) }];
}

/** {@link networkFilter} and all {@link flagChecks} of a query combined into a single comparison. */
export function flagFilter(query: SiteQuery): FlagFilter {
  const { mask, value } = networkFilter(query);
  const wanted =
    wantedKind(query) | purposeFlag(query.purpose) | wantedRequirements(query) | wantedStepFree(query) | wantedCardPayment(query);
  const named = namedFilter(query);
  return { mask: mask | wanted | named.mask, value: value | wanted | named.value };
}

/** Sites that report capacity are excluded from hard holds: their reports contain counts, but no compartment names. */
function namedFilter({ isHard = false }: SiteQuery): FlagFilter {
  if (!isHard) return { mask: 0, value: 0 };
  return { mask: recordFlag.namedCompartments | recordFlag.reportsCapacity, value: recordFlag.namedCompartments };
}

function wantedKind({ kinds }: SiteQuery): number {
  const [kind] = kinds;
  return kind !== undefined && kinds.every((other) => other === kind) ? kindFlag(kind) : 0;
}

function wantedRequirements({ parcelRequirements = [] }: SiteQuery): number {
  return parcelRequirements.reduce<number>((flags, requirement) => flags | requirementFlag(requirement), 0);
}

function wantedStepFree({ needs }: SiteQuery): number {
  return needs?.stepFree === true ? recordFlag.stepFree : 0;
}

function wantedCardPayment({ needs }: SiteQuery): number {
  return needs?.cardPayment === true ? recordFlag.cardPayment : 0;
}
