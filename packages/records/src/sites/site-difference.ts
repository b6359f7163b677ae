import { create, equals } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { checkSite, type SiteQuery } from "@petak/allocator";
import { isInService, keepsReservations } from "@petak/lifecycle";
import {
  OpeningHoursSchema,
  type Reservation,
  ReservationState,
  type Site,
  SiteChangeKind,
  SiteLifecycle,
  type SizeClass,
} from "@petak/protocol";
import { movedM } from "./live-reservations.ts";
import { needsLeft } from "./site-needs.ts";

const K = SiteChangeKind;

/** Changes of which every live reservation is told. Others are told to those that they concern. */
const alwaysTold: ReadonlySet<SiteChangeKind> = new Set([K.PAUSED, K.RETIRED, K.BACK_IN_SERVICE, K.MOVED]);

/** What changed between two states of a site's facts, as far as it may concern its reservations. Empty: nothing. */
export function siteDifference(before: Site, after: Site): SiteChangeKind[] {
  const kinds: SiteChangeKind[] = [];
  const isOtherService = serviceOf(before) !== serviceOf(after) || keepsReservations(before) !== keepsReservations(after);
  if (isOtherService) kinds.push(serviceOf(after));
  if (movedM(before, after) >= 1) kinds.push(K.MOVED);
  if (before.sizeClasses.some((sizeClass, index) => isSmaller(sizeClass, after.sizeClasses[index]))) kinds.push(K.PLACES);
  const hoursOf = ({ openingHours }: Site) => openingHours ?? create(OpeningHoursSchema);
  if (before.timeZone !== after.timeZone || !equals(OpeningHoursSchema, hoursOf(before), hoursOf(after))) kinds.push(K.HOURS);
  if (before.kind !== after.kind || !isSame(before.services, after.services) || !isSame(amenitiesOf(before), amenitiesOf(after))) {
    kinds.push(K.SERVICES);
  }
  if (!isSame(before.purposes, after.purposes)) kinds.push(K.PURPOSES);
  return kinds;
}

/** Whether every live reservation is told of a change, or only those that can no longer be kept or can again. */
export function isAlwaysTold(kinds: readonly SiteChangeKind[]): boolean {
  return kinds.some((kind) => alwaysTold.has(kind));
}

function serviceOf(site: Site): SiteChangeKind {
  if (isInService(site)) return K.BACK_IN_SERVICE;
  return site.lifecycle === SiteLifecycle.DECOMMISSIONED ? K.RETIRED : K.PAUSED;
}

/** Facts that a request may require, apart from services: a way without steps, and card payment. */
function amenitiesOf({ access, equipment }: Site): number[] {
  return [access?.stepFree === true ? 1 : 0, equipment?.cardPayment === true ? 2 : 0];
}

/** Whether a size class has another name, height or measure, is not cooled any more, or is gone. More places concern nobody who has one. */
function isSmaller(before: SizeClass, after: SizeClass | undefined): boolean {
  if (after === undefined || after.sizeClassId !== before.sizeClassId) return true;
  const isElsewhere =
    after.lowestCentreHeightMm !== before.lowestCentreHeightMm || after.highestCentreHeightMm !== before.highestCentreHeightMm;
  if (isElsewhere || (before.refrigerated && !after.refrigerated)) return true;
  return (
    after.widthMm < before.widthMm || after.heightMm < before.heightMm || after.depthMm < before.depthMm || after.maxMassG < before.maxMassG
  );
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value) => b.includes(value));
}

/** The time after a hold in which its parcel is expected, in ms: the usual time for the deposit. */
const depositAfterHoldMs = 86_400_000;

/**
 * Whether a reservation can be kept at a site with given facts, judged by what the reservation says: the site keeps reservations and is open at some time until the
 * deadline, the parcel's and the request's requirements are met, and before the deposit its purpose is served and the parcel fits its size class. A parcel that is
 * inside stays, so only its collection counts.
 *
 * @param nowMs in ms since 1970
 */
export function canBeKept(reservation: Reservation, site: Site, nowMs: number): boolean {
  const { state, sizeClassId, requirements } = reservation;
  const isInside = state === ReservationState.DEPOSITED;
  // A place comes free for a queued one only at a site that takes new reservations.
  if (!(isInside || (state === ReservationState.QUEUED ? isInService(site) : keepsReservations(site)))) return false;
  const facts = isInside ? { ...site, purposes: [] } : site;
  const query = queryOf(reservation, nowMs);
  const queries = requirements === undefined ? [query] : [query, { ...query, needs: needsLeft(requirements, nowMs) }];
  return queries.every((one) => {
    const { reason, classes } = checkSite(one, facts);
    return reason === undefined && (sizeClassId === "" || classes.some((index) => site.sizeClasses[index]?.sizeClassId === sizeClassId));
  });
}

/** The end of the time in which a site has to be open for a reservation, in ms since 1970; undefined: that is not known yet. */
function openUntilMs({ state, holdExpiresAt, depositUntil, collectUntil }: Reservation): number | undefined {
  if (state === ReservationState.HELD) return holdExpiresAt && timestampMs(holdExpiresAt) + depositAfterHoldMs;
  const limit = state === ReservationState.CONFIRMED ? depositUntil : state === ReservationState.DEPOSITED ? collectUntil : undefined;
  return limit && timestampMs(limit);
}

function queryOf(reservation: Reservation, nowMs: number): SiteQuery {
  const { state, parcel, purpose, isTest } = reservation;
  const untilMs = openUntilMs(reservation) ?? nowMs;
  const needs = {
    stepFree: false,
    cardPayment: false,
    refrigerated: false,
    minCentreHeightMm: 0,
    maxCentreHeightMm: 0,
    openAtMs: undefined,
  };
  return {
    // A parcel that is inside has its place.
    parcel: state === ReservationState.DEPOSITED || parcel === undefined ? { widthMm: 0, heightMm: 0, depthMm: 0, massG: 0 } : parcel,
    purpose,
    isTest,
    kinds: [],
    operatorIds: [],
    excludedOperatorIds: [],
    parcelRequirements: parcel?.requirements ?? [],
    ...(untilMs > nowMs && { needs: { ...needs, openWithin: { fromMs: nowMs, toMs: untilMs, atLeastMs: 1 } } }),
  };
}
