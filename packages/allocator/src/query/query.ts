import { type ParcelRequirement, PassedOverReason, type Purpose, type SiteKind } from "@petak/protocol";
import { recordFlag } from "../block/record.ts";
import { kindFlag, purposeFlag, requirementFlag } from "../block/record-flags.ts";
import type { ParcelMeasures, PlaceNeeds } from "../block/size-profile.ts";
import type { Position } from "../geo/position.ts";

/** What must be true of a site, wherever it is. Everything is a hard filter. */
export interface SiteQuery {
  /** What must fit. */
  parcel: ParcelMeasures;
  /** What the place is for. */
  purpose: Purpose;
  /** Whether the caller sees the test network, and nothing else, or the live network, and nothing else. */
  isTest: boolean;
  /** Kinds wanted; empty: all. */
  kinds: readonly SiteKind[];
  /** Operators allowed; empty: all. */
  operatorIds: readonly string[];
  /** Operators refused. */
  excludedOperatorIds: readonly string[];
  /** Whether a compartment must be promised by its name. Left out: false. */
  isHard?: boolean;
  /** What the parcel needs of whoever hands it over. Left out: nothing. */
  parcelRequirements?: readonly ParcelRequirement[];
  /** Countries allowed, ISO 3166-1 alpha-2; left out or empty: all. */
  countryCodes?: readonly string[];
  /** What else the site must be like. Left out: anything. */
  needs?: SiteNeeds;
  /** The instant at which it must be known what is free, in ms. Left out: what was free last will do, however long ago. */
  knownAtMs?: number;
}

/** What a caller looks for near a point. */
export interface NearestQuery extends SiteQuery {
  /** Where to look from. */
  origin: Position;
  /** How many candidates at most, from 1. */
  limit: number;
  /** The greatest distance in m, included; Infinity for none. */
  radiusM: number;
  /** Whether sites at which no class that would do has a place free are found too. Left out: they are not. */
  includesFull?: boolean;
}

/** What a site must be like, beside what it is for and whose. */
export interface SiteNeeds extends PlaceNeeds {
  stepFree: boolean;
  cardPayment: boolean;
  /** An instant at which it must be open. Undefined: any hours. */
  openAtMs: number | undefined;
  /** It must be open for `atLeastMs` in [fromMs, toMs), added up. Undefined: any hours. */
  openWithin: { fromMs: number; toMs: number; atLeastMs: number } | undefined;
}

/** A record passes where `(flags & mask) === value`. */
export interface FlagFilter {
  mask: number;
  value: number;
}

/** A condition on a record's flags, and why a site that does not meet it is passed over. */
export interface FlagCheck extends FlagFilter {
  reason: PassedOverReason;
}

/** The filter for the network that the caller sees. */
export function networkFilter({ isTest }: SiteQuery): FlagFilter {
  return { mask: recordFlag.test, value: isTest ? recordFlag.test : 0 };
}

/** What a query asks of a record's flags, beside the network, in the order of the reasons. */
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

/** The filter over a record's flags that a query asks for, network and {@link flagChecks}: one comparison for all of it. */
export function flagFilter(query: SiteQuery): FlagFilter {
  const { mask, value } = networkFilter(query);
  const wanted =
    wantedKind(query) | purposeFlag(query.purpose) | wantedRequirements(query) | wantedStepFree(query) | wantedCardPayment(query);
  const named = namedFilter(query);
  return { mask: mask | wanted | named.mask, value: value | wanted | named.value };
}

/** Where others may use the places too, what is known of them has counts and no names. */
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
