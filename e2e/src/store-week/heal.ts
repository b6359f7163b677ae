import { randomUUID } from "node:crypto";
import { Act, DoubtOutcome, ReservationState } from "@petak/protocol";
import { EndReason, type HandOver, ParcelPlace } from "@petak/protocol/counter";
import { nameOf } from "../life/life-world.ts";
import { minuteMs } from "../offline/offline-network.ts";
import { end, findAgain, judge, move } from "./hand-overs.ts";
import { beginShift, endShift } from "./shifts.ts";
import type { Tablet } from "./tablet.ts";
import type { Parcel, Shop } from "./truth.ts";
import { giveUp, goOn, look } from "./visits.ts";
import type { Week } from "./week.ts";

/** What the operator says of a doubt about a parcel, by where it really is. */
const outcomes: Readonly<Record<Exclude<Parcel["where"], "on the shelf">, DoubtOutcome>> = {
  outside: DoubtOutcome.NO_PARCEL,
  "with its collector": DoubtOutcome.COLLECTED,
  "with its courier": DoubtOutcome.RECALLED,
};

/** Everything works again: what waits is sent, what was left is ended, and what the clerks find does the rest. */
export async function heal(week: Week): Promise<void> {
  const { shops, pass } = week.around;
  for (const shop of shops) {
    shop.store.isLinkCut = false;
    for (const tablet of shop.tablets) Object.assign(tablet, { isCut: false, isPowerToGo: false });
    await sendAll(week, shop);
    await tidy(week, shop);
  }
  for (let round = 0; round < 2; round += 1) {
    await pass(3 * minuteMs);
    for (const { store } of shops) await flushed(week, store);
  }
  for (const shop of shops) await countExactly(week, shop);
  for (const shop of shops) await resolveDoubts(week, shop);
  await pass(3 * minuteMs);
  for (const { store } of shops) {
    await untilDone(() => store.agent.syncNow());
    await flushed(week, store);
  }
}

/** Sends what waits on a store's tablets, and brings its agent up to date. */
export async function sendAll(week: Week, { store, tablets }: Shop): Promise<void> {
  for (const tablet of tablets) await untilDone(async () => (await tablet.flush()) || Promise.reject(new Error("entries still wait")));
  await untilDone(() => store.agent.syncNow());
  await flushed(week, store);
}

/** Ends what is under way at a counter. */
async function tidy(week: Week, shop: Shop): Promise<void> {
  const [tablet] = shop.tablets as [Tablet];
  const seen = () => untilDone(async () => (await look(tablet)) ?? Promise.reject(new Error("the agent cannot be reached")));
  for (const handOver of (await seen()).handOvers ?? []) await endLeft(week, shop, handOver);
  for (const { deliveryId } of (await seen()).deliveries ?? []) {
    const left = week.truth.visits.find((visit) => visit.deliveryId === deliveryId);
    if (left === undefined) week.fault(`nobody began the delivery ${deliveryId}`);
    else if (left.courierCode === "") await giveUp(week, left, tablet);
    else await goOn(week, left, tablet);
  }
  await sendAll(week, shop);
  for (const left of week.openVisits(shop)) left.isOver = true;
  for (let tries = 0; tries < 20; tries += 1) await findAgain(week, shop);
  await sendAll(week, shop);
  const { parcels } = await tablet.look();
  for (const parcel of week.parcelsAt(shop)) {
    if (!parcel.isLoose) continue;
    // What was lost with a tablet is seen by the count that follows.
    const place = parcels.find(({ reservationId }) => reservationId === parcel.reservationId)?.place;
    parcel.isRecorded = place === ParcelPlace.ON_SHELF || place === ParcelPlace.FOR_COURIER;
    parcel.isLoose = false;
  }
}

/** Ends a hand-over whose person has left, by what the clerk sees. */
async function endLeft(week: Week, shop: Shop, handOver: HandOver): Promise<void> {
  const tablet = shop.tablets.find(({ tabletId }) => tabletId === handOver.tabletId) ?? (shop.tablets[0] as Tablet);
  const { handOverId, labelEnding } = handOver;
  // The clerk has the person before the counter. The screen has no label where the gateway could not announce the parcel in time.
  const of = shop.store.records.counter.openHandOvers().find((one) => one.handOverId === handOverId)?.reservationId;
  const parcel = week.parcelsAt(shop).find(({ reservationId }) => reservationId === of);
  const clerkId = week.clerk(shop);
  if (parcel === undefined || !["", parcel.label].includes(labelEnding))
    return week.fault(`a hand-over of ${labelEnding} at ${handOver.shelfPlace} is nobody's`);
  const isGone = handOver.act !== Act.DEPOSIT && parcel.where !== "on the shelf";
  const isIn = handOver.act === Act.DEPOSIT && parcel.where === "on the shelf";
  await end(week, parcel, tablet, clerkId, handOver, isGone ? EndReason.CANNOT_FIND : EndReason.NOT_NOW);
  if (!isIn) return;
  // The parcel came, and its entry was lost with a tablet: the clerk takes it in once more.
  parcel.isLoose = true;
  await sendAll(week, shop);
  const code = parcel.codes.find(({ act, moved }) => act === Act.DEPOSIT && moved > 0);
  const again = code && (await judge(week, code, tablet, clerkId));
  if (code === undefined) return week.fault(`${parcel.label} came without a code`);
  code.moved = 0;
  if (again === undefined) return await returnToSender(week, parcel);
  await move(week, code, tablet, clerkId, again);
}

/** A parcel whose reservation has ended before the store heard that it came goes back to whoever brought it. */
async function returnToSender(week: Week, parcel: Parcel): Promise<void> {
  const { reservationId, driver, label, shop } = parcel;
  const { reservation } = await driver.courier.client.reservations.getReservation({ reservationId });
  const hasEnded = [ReservationState.NO_SHOW, ReservationState.CANCELLED].some((state) => state === reservation?.state);
  if (!hasEnded) return week.fault(`${label} cannot be taken in again`);
  Object.assign(parcel, { where: "outside", isLoose: false });
  week.say(`${label} is given back`, shop);
}

/** A count in which nobody errs: it must find what really lies there. */
async function countExactly(week: Week, shop: Shop): Promise<void> {
  const clerkId = week.clerk(shop);
  await beginShift(week, shop, clerkId);
  const count = await endShift(week, shop, true, clerkId);
  await sendAll(week, shop);
  const { missing = ["no answer"], surplus = [] } = count.shown ?? {};
  const labelOf = (id: string) => week.truth.parcels.find(({ reservationId }) => reservationId === id)?.label ?? id;
  if (count.labels.length > 0 && missing.length + surplus.length > 0)
    week.fault(`unaccounted at ${shop.name}: missing ${missing.map(labelOf).join()}, surplus ${surplus.join()}`);
}

/** The operator says what has become of parcels that the record doubts. */
async function resolveDoubts(week: Week, shop: Shop): Promise<void> {
  const { operator } = week.around;
  for (const parcel of week.parcelsAt(shop)) {
    const { reservationId, driver, where, label } = parcel;
    const { reservation } = await driver.courier.client.reservations.getReservation({ reservationId });
    if (reservation?.state !== ReservationState.IN_DOUBT || where === "on the shelf") continue;
    await operator.client.reservations.resolveDoubt({ requestId: randomUUID(), reservationId, outcome: outcomes[where] });
    week.say(`the operator resolves ${label}: ${nameOf(DoubtOutcome, outcomes[where])}`, shop);
  }
}

/** Waits until the gateway has all reports. Lost answers are followed by pauses, which time ends. */
async function flushed(week: Week, { agent, warnings }: Shop["store"]): Promise<void> {
  const state = { isDone: false };
  const end = () => Object.assign(state, { isDone: true });
  void agent.flushed().then(end, end);
  for (let turn = 1; !state.isDone; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    if (turn % 200 === 0) await week.around.pass(minuteMs);
    if (turn > 40_000) throw new Error(`reports are not delivered: ${warnings.slice(-5).join("; ")}`);
  }
}

async function untilDone<Result>(attempt: () => Promise<Result>): Promise<Result> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (tries === 50) throw error;
    }
  }
}
