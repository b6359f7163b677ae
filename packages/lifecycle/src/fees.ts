import { create } from "@bufbuild/protobuf";
import { durationMs, timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { type Money, MoneySchema, type Reservation, ReservationState, type Site, type Terms } from "@petak/protocol";
import { isInService, isSitesFault, keepsReservations } from "./site-service.ts";
import type { FullTerms } from "./terms.ts";

/** Until when a confirmed reservation can be cancelled free of charge; undefined: at any time. */
export function freeChangeUntil({ lateChangeFee, freeChangeBeforeDeposit }: Terms, confirmedAtMs: number, depositUntilMs: number) {
  if (lateChangeFee === undefined || freeChangeBeforeDeposit === undefined) return undefined;
  // Never before the confirmation, which may come late.
  return timestampFromMs(Math.max(confirmedAtMs, depositUntilMs - durationMs(freeChangeBeforeDeposit)));
}

/**
 * The fee for cancelling a reservation at a time, in ms. A site's operator pays nothing for other participants' reservations, and nobody pays at a site
 * that is not in service or has changed so that the reservation cannot be kept.
 */
export function lateChangeFee(
  before: Reservation,
  { lateChangeFee: fee }: Terms,
  { actor: { participantId }, site }: { actor: { participantId: string }; site: Pick<Site, "lifecycle"> },
  atMs: number,
): Pick<Reservation, "feeDue"> {
  if (!isInService(site) || isSitesFault(before)) return {};
  const { state, freeChangeUntil: until } = before;
  const isLate = state === ReservationState.CONFIRMED && until !== undefined && timestampMs(until) < atMs;
  return isLate && fee !== undefined && participantId === before.participantId ? { feeDue: fee } : {};
}

/** The fee for a no-show. None if its site is the cause. */
export function noShowFee(
  before: Reservation,
  { noShowFee: fee }: Terms,
  site: Pick<Site, "lifecycle" | "draining">,
): Pick<Reservation, "feeDue"> {
  return fee === undefined || !keepsReservations(site) || isSitesFault(before) ? {} : { feeDue: fee };
}

/** The total fee after `collect_until` is moved to a time, in ms. An extension by the site's operator is free. */
export function extensionFee(
  before: Reservation,
  { extensionPricePerDay: price, freeStorage }: FullTerms,
  { participantId }: { participantId: string },
  untilMs: number,
): Pick<Reservation, "feeDue"> {
  const { depositedAt, collectUntil, feeDue } = before;
  if (price === undefined || depositedAt === undefined || collectUntil === undefined || participantId !== before.participantId) return {};
  const freeUntilMs = timestampMs(depositedAt) + durationMs(freeStorage);
  // A late report dates the deposit back; storage that was free stays free.
  const paidUntilMs = Math.max(freeUntilMs, timestampMs(collectUntil));
  const days = daysAfter(freeUntilMs, untilMs) - daysAfter(freeUntilMs, paidUntilMs);
  return days > 0 ? { feeDue: sum(times(price, days), feeDue) } : {};
}

/** The number of started days between two times, in ms. */
function daysAfter(fromMs: number, toMs: number): number {
  return Math.max(0, Math.ceil((toMs - fromMs) / 86_400_000));
}

const nanosPerUnit = 1_000_000_000n;

function times({ currencyCode, units, nanos }: Money, count: number): Money {
  return money(currencyCode, (units * nanosPerUnit + BigInt(nanos)) * BigInt(count));
}

/** Adds two amounts of one currency, that of the reservation's terms. */
function sum(amount: Money, before: Money | undefined): Money {
  if (before === undefined) return amount;
  const nanosOf = ({ units, nanos }: Money) => units * nanosPerUnit + BigInt(nanos);
  return money(amount.currencyCode, nanosOf(amount) + nanosOf(before));
}

function money(currencyCode: string, nanos: bigint): Money {
  return create(MoneySchema, { currencyCode, units: nanos / nanosPerUnit, nanos: Number(nanos % nanosPerUnit) });
}
