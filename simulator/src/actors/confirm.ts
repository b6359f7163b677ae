import { randomUUID } from "node:crypto";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { CancellationReason } from "@petak/protocol";
import { ask, CallFailed } from "./calls.ts";
import { cancel, noteLimit, placeEnds } from "./change.ts";
import type { City } from "./city.ts";
import { deposit } from "./door.ts";
import { endOfCall } from "./end-of-call.ts";
import type { Life } from "./life.ts";
import type { Moment } from "./moment.ts";
import { whenOpen } from "./when-open.ts";

/** Shortest and longest time for a deposit that can be asked for, in ms: the protocol's limits. */
const withinMs = { min: 60_000, max: 7 * 86_400_000 };

/** Confirms the place, and plans the deposit. */
export async function confirm(city: City, life: Life, moment: Moment): Promise<void> {
  if (life.phase !== "held" || life.isConfirmed || life.isBusy) return;
  const { intention, courier, reservationId = "", siteId } = life;
  const { id, atMs, depositAfterMs, patienceMs, purpose } = intention;
  const depositMs = depositAfterMs === null ? undefined : Math.max(moment.planMs, atMs + depositAfterMs);
  const request = {
    requestId: randomUUID(),
    reservationId,
    ...(depositMs !== undefined && { depositWithin: durationFromMs(keptFor(city, depositMs - moment.planMs)) }),
  };
  life.isBusy = true;
  try {
    const asked = { intention: id, operation: "confirm", dueMs: moment.dueMs, reservationId, ...(siteId && { siteId }) } as const;
    const answer = await ask(city, asked, (options) => courier.client.reservations.confirm(request, options), patienceMs);
    life.isConfirmed = true;
    if (answer.reservation !== undefined) noteLimit(life, answer.reservation);
  } catch (error) {
    return await notConfirmed(city, life, error);
  } finally {
    life.isBusy = false;
  }
  // Nobody comes, and the gateway says so in time.
  if (depositMs === undefined) return;
  if (purpose === "DELIVERY") city.nextRound(depositMs, { life, act: "DEPOSIT" });
  else city.schedule.at(await whenOpen(city, life, depositMs), (next) => deposit(city, life, next));
}

/** How long the place is asked to be kept, in ms of the network's time. */
function keptFor(city: City, planMs: number): number {
  const askedMs = city.schedule.networkMs(planMs) + city.parameters.depositMarginMs;
  return Math.round(Math.min(withinMs.max, Math.max(withinMs.min, askedMs)));
}

async function notConfirmed(city: City, life: Life, error: unknown): Promise<void> {
  if (!(error instanceof CallFailed)) throw error;
  if (error.outcome === "ILLEGAL_STATE") {
    placeEnds(city, life);
    return city.lives.end(life, "expired");
  }
  await cancel(city, life, CancellationReason.OTHER);
  if (error.outcome === "SITE_OUT_OF_SERVICE") city.lives.end(life, "stranded", { reason: error.outcome });
  else endOfCall(city, life, error);
}
