import { randomUUID } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs, durationMs, timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import {
  CancellationReason,
  OverflowFallback,
  type OverflowPolicySchema,
  Purpose,
  type Reservation,
  ReservationState,
  type ReserveRequestSchema,
  type SiteOption,
} from "@petak/protocol";
import type { Intention } from "../trace/intention.ts";
import { ask, CallFailed, servicePatienceMs } from "./calls.ts";
import { cancel, changeMind, placeGiven } from "./change.ts";
import type { City } from "./city.ts";
import { confirm } from "./confirm.ts";
import { endOfCall } from "./end-of-call.ts";
import type { Life } from "./life.ts";
import type { Moment } from "./moment.ts";
import { wantedHour } from "./wanted-hour.ts";

/** Begins an intention: the first look. */
export async function begin(city: City, life: Life, moment: Moment): Promise<void> {
  await look(city, life, moment, 1);
}

async function look(city: City, life: Life, moment: Moment, number: number): Promise<void> {
  const { intention, courier } = life;
  const { latitude, longitude, walkM, option, looks, change, thinkMs, patienceMs, id, person } = intention;
  const parcel = parcelOf(intention);
  const askedAtMs = city.nowMs();
  const openAtMs = wantedHour(city, intention, moment.planMs);
  const request = {
    origin: { latitude, longitude },
    parcel,
    purpose: Purpose[intention.purpose],
    radiusM: walkM,
    limit: Math.max(5, option),
    operatorIds: city.sites.searched(),
    ...(openAtMs !== undefined && { requirements: { openAt: timestampFromMs(openAtMs) } }),
  };
  const { directory } = city.shop ?? courier.client;
  try {
    const asked = { intention: id, operation: "find", dueMs: moment.dueMs } as const;
    const answer = await ask(city, asked, (options) => directory.findNearest(request, options), patienceMs);
    life.options = answer.options;
  } catch (error) {
    return endOfCall(city, life, error);
  }
  const asked = { parcel, askedAtMs, ...(openAtMs !== undefined && { openAtMs }) };
  for (const one of life.options) await seeOffer(city, life, one, asked);
  const nextMs = city.schedule.answeredAt(moment) + city.schedule.pauseMs(thinkMs);
  if (number < looks) city.schedule.at(nextMs, (next) => look(city, life, next, number + 1), person);
  else if (change === "LEAVES") city.lives.end(life, "left");
  else city.schedule.at(nextMs, (next) => reserve(city, life, next), person);
}

async function seeOffer(
  city: City,
  life: Life,
  offer: SiteOption,
  asked: { parcel: ReturnType<typeof parcelOf>; askedAtMs: number; openAtMs?: number },
): Promise<void> {
  const { site, sizeClassId, freeToPromise, distanceM, observedAt, ttl } = offer;
  const siteId = site?.siteId ?? "";
  await city.sites.find(siteId);
  city.observe({
    kind: "offer",
    intention: life.intention.id,
    atMs: city.nowMs(),
    siteId,
    sizeClassId,
    freeToPromise,
    distanceM,
    observedAtMs: observedAt === undefined ? asked.askedAtMs : timestampMs(observedAt),
    ttlMs: ttl === undefined ? 0 : durationMs(ttl),
    ...asked,
  });
}

/** Chooses a place and reserves it. */
async function reserve(city: City, life: Life, moment: Moment): Promise<void> {
  const { intention, courier } = life;
  const { id, patienceMs, siteRef, option, overflowWithinM, overflowWaitS } = intention;
  const chosen = life.options[Math.min(option, life.options.length) - 1]?.site?.siteId;
  const wantedSiteId = siteRef === null ? chosen : city.sites.byRef(siteRef)?.siteId;
  if (siteRef !== null && wantedSiteId === undefined) return city.lives.end(life, "refused", { reason: "SITE_NOT_FOUND" });
  if (wantedSiteId === undefined && overflowWithinM === 0 && overflowWaitS === 0) {
    return city.lives.end(life, "refused", { reason: isFarFromAll(city, intention) ? "NO_SITE_NEAR" : "NO_OPTION" });
  }
  if (wantedSiteId !== undefined) life.wantedSiteId = wantedSiteId;
  const request = requestOf(life, city.sites.searched());
  try {
    const asked = { intention: id, operation: "reserve", dueMs: moment.dueMs, ...(wantedSiteId && { siteId: wantedSiteId }) } as const;
    const answer = await ask(city, asked, (options) => courier.client.reservations.reserve(request, options), patienceMs);
    await reserved(city, life, moment, answer.reservation as Reservation);
  } catch (error) {
    if (error instanceof CallFailed && !error.isRefusal) await takeBack(city, life, request);
    if (error instanceof CallFailed && error.outcome === "NO_PLACE_FREE" && isFarFromAll(city, intention)) {
      return city.lives.end(life, "refused", { reason: "NO_SITE_NEAR" });
    }
    endOfCall(city, life, error);
  }
}

/** Whether no site lies where the person would go: more places at the sites that there are would not help. */
function isFarFromAll({ sites }: City, { latitude, longitude, siteRef, walkM, overflowWithinM }: Intention): boolean {
  return siteRef === null && !sites.isWithin({ latitude, longitude }, Math.max(walkM, overflowWithinM));
}

/** The person left without an answer: if a place was taken all the same, it is given back. */
async function takeBack(city: City, life: Life, request: MessageInitShape<typeof ReserveRequestSchema>): Promise<void> {
  const { reservations } = life.courier.client;
  const asked = { intention: life.intention.id, operation: "reserve" } as const;
  try {
    const { reservation } = await ask(city, asked, (options) => reservations.reserve(request, options), servicePatienceMs);
    if (reservation === undefined) return;
    await placeGiven(city, life, reservation);
    await cancel(city, life, CancellationReason.CONSUMER_REQUEST);
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error;
  }
}

async function reserved(city: City, life: Life, moment: Moment, reservation: Reservation): Promise<void> {
  const { person, change, changeAfterMs, thinkMs } = life.intention;
  const answeredMs = city.schedule.answeredAt(moment);
  await placeGiven(city, life, reservation);
  if (reservation.state === ReservationState.QUEUED) {
    life.phase = "queued";
    life.queuedAtMs = city.nowMs();
  } else {
    life.phase = "held";
    city.schedule.at(answeredMs + city.schedule.pauseMs(thinkMs), (next) => confirm(city, life, next), person);
  }
  if (change === "CANCELS" || change === "REDIRECTS") {
    const confirmNow = (next: Moment) => city.schedule.at(next.planMs, (then) => confirm(city, life, then), person);
    city.schedule.at(answeredMs + changeAfterMs, (next) => changeMind(city, life, next, confirmNow), person);
  }
}

function requestOf(life: Life, operatorIds: string[]): MessageInitShape<typeof ReserveRequestSchema> {
  const { intention, wantedSiteId } = life;
  const { latitude, longitude, walkM } = intention;
  return {
    requestId: randomUUID(),
    place:
      wantedSiteId === undefined
        ? { case: "nearest", value: { origin: { latitude, longitude }, radiusM: walkM, operatorIds } }
        : { case: "siteId", value: wantedSiteId },
    parcel: parcelOf(intention),
    purpose: Purpose[intention.purpose],
    partnerReference: `intention-${intention.id}`,
    overflowPolicy: policyOf(intention, operatorIds),
  };
}

/** Operators that a policy can name: the protocol's limit. */
const policyOperatorsMax = 20;

function policyOf(
  { overflowWithinM, overflowWaitS, overflowFallback }: Intention,
  operatorIds: string[],
): MessageInitShape<typeof OverflowPolicySchema> | undefined {
  if (overflowWithinM === 0 && overflowWaitS === 0 && overflowFallback === "REFUSE") return undefined;
  return {
    maxDistanceM: overflowWithinM,
    operatorIds: operatorIds.length > policyOperatorsMax ? [] : operatorIds,
    fallback: OverflowFallback[overflowFallback],
    ...(overflowWaitS > 0 && { wait: durationFromMs(overflowWaitS * 1000) }),
  };
}

function parcelOf({ widthMm, heightMm, depthMm, massG }: Intention) {
  return { widthMm, heightMm, depthMm, massG };
}
