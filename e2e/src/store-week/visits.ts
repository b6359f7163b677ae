import { randomUUID } from "node:crypto";
import { Purpose } from "@petak/protocol";
import { Condition, Direction, EntryRefusal, ParcelPlace, RefusalReason } from "@petak/protocol/counter";
import { nameOf } from "../life/life-world.ts";
import type { Tablet } from "./tablet.ts";
import type { Parcel, Shop, Visit } from "./truth.ts";
import type { About, Week } from "./week.ts";

const done = EntryRefusal.UNSPECIFIED;

/** A courier comes, to bring or to fetch, or goes on with what was begun. */
export async function visit(week: Week, shop: Shop): Promise<void> {
  const { random, around } = week;
  const tablet = random.pick(shop.tablets);
  const begun = week.openVisits(shop);
  if (begun.length > 0 && random.bool(0.7)) return await goOn(week, random.pick(begun), tablet);
  const driver = random.pick(around.drivers);
  const isIn = random.bool(0.75);
  const brought = week.parcelsAt(shop).filter((one) => one.driver === driver && isBroughtByCourier(one));
  const parcels = isIn ? random.shuffle(brought).slice(0, 4) : await toFetch(week, shop, tablet, driver);
  if (parcels.length === 0) return;
  const begin: Visit = {
    ...{ deliveryId: randomUUID(), shop, driver, isIn, scanned: new Set(), courierCode: "", listed: [], isOver: false },
  };
  week.truth.visits.push(begin);
  const direction = isIn ? Direction.IN : Direction.OUT;
  await week.does(tablet, week.clerk(shop), { case: "beginDelivery", value: { deliveryId: begin.deliveryId, direction } });
  week.say(`a courier ${isIn ? "brings" : "fetches"} ${parcels.length}`, shop);
  for (const parcel of parcels) await scan(week, begin, parcel, tablet);
  await goOn(week, begin, tablet);
}

function isBroughtByCourier({ where, purpose, isCancelled }: Parcel): boolean {
  return where === "outside" && purpose === Purpose.DELIVERY && !isCancelled;
}

/** What the tablet says that a courier is to take, and what is really there. */
async function toFetch(week: Week, shop: Shop, tablet: Tablet, driver: Visit["driver"]): Promise<Parcel[]> {
  const seen = await tablet.look().catch(() => undefined);
  const ids = new Set(seen?.parcels.filter(({ place }) => place === ParcelPlace.FOR_COURIER).map(({ reservationId }) => reservationId));
  return week.parcelsAt(shop).filter((one) => one.driver === driver && one.where === "on the shelf" && ids.has(one.reservationId));
}

async function scan(week: Week, visit: Visit, parcel: Parcel, tablet: Tablet): Promise<void> {
  const { random } = week;
  const { shop, deliveryId, isIn } = visit;
  const condition = isIn
    ? random.pick([Condition.GOOD, Condition.GOOD, Condition.GOOD, Condition.DAMAGED, Condition.REFUSED])
    : Condition.GOOD;
  const value = {
    deliveryId,
    label: parcel.label,
    condition,
    ...(condition === Condition.REFUSED && { refusalReason: RefusalReason.DAMAGED }),
  };
  const { result } = await week.does(tablet, week.clerk(shop), { case: "scanParcel", value });
  if (result !== undefined && result.refusal !== done)
    week.say(`${parcel.label} is not taken: ${nameOf(EntryRefusal, result.refusal)}`, shop);
  if (random.bool(0.03)) tablet.isCut = true;
}

/** Agrees the count, signs, and closes, as far as the tablet gets. */
export async function goOn(week: Week, visit: Visit, tablet: Tablet): Promise<void> {
  const { shop, deliveryId, driver } = visit;
  if (visit.courierCode !== "") return await close(week, visit, tablet);
  if (tablet.isCut || !(await tablet.flush())) return;
  const stored = (await look(tablet))?.deliveries.find((one) => one.deliveryId === deliveryId);
  if (stored === undefined) return;
  const ids = stored.parcels.filter(({ condition }) => condition !== Condition.REFUSED).map(({ reservationId }) => reservationId);
  const listed = week.truth.parcels.filter(({ reservationId }) => ids.includes(reservationId));
  // What has moved since it was scanned is not on the counter any more: the clerk takes it off the list.
  for (const parcel of listed.filter((one) => !isOnCounter(one, visit))) await unscan(week, visit, parcel, tablet);
  const count = listed.filter((one) => isOnCounter(one, visit)).length;
  const { result } = await week.does(tablet, week.clerk(shop), { case: "agreeCount", value: { deliveryId, count } });
  if (result === undefined) return;
  if (result.refusal !== done) return week.say(`the count of ${count} is refused: ${nameOf(EntryRefusal, result.refusal)}`, shop);
  const { storeCode = "" } = result.delivery ?? {};
  if (storeCode === "" || count === 0) return await giveUp(week, visit, tablet);
  const own = week.parcelsAt(shop).filter((one) => one.driver === driver);
  visit.courierCode = await driver.sign(storeCode, own);
  visit.listed = listed.filter((one) => isOnCounter(one, visit));
  for (const parcel of visit.listed) parcel.where = visit.isIn ? "on the shelf" : "with its courier";
  week.say(`a courier signs for ${visit.listed.map(({ label }) => label).join(", ")}`, shop);
  await close(week, visit, tablet);
}

function isOnCounter(parcel: Parcel, { isIn }: Visit): boolean {
  return parcel.where === (isIn ? "outside" : "on the shelf");
}

async function close(week: Week, visit: Visit, tablet: Tablet): Promise<void> {
  const { shop, deliveryId, courierCode, listed, isIn } = visit;
  // Another tablet may have it waiting.
  const isWaiting = [...week.truth.waiting].some(({ action }) => action.case === "closeDelivery" && action.value.deliveryId === deliveryId);
  if (isWaiting) return;
  const onAnswer: About["onAnswer"] = ({ refusal }, record) => {
    // It was closed already by an entry whose tablet was lost, and its parcels may have moved on since.
    if (refusal !== done && refusal !== EntryRefusal.OVER) return week.fault(`a signed list is refused: ${nameOf(EntryRefusal, refusal)}`);
    visit.isOver = true;
    if (refusal === done) for (const parcel of listed) record(parcel, { isRecorded: isIn, isLoose: false });
    week.say(`a delivery of ${listed.length} is closed`, shop);
  };
  const action = { case: "closeDelivery", value: { deliveryId, courierCode } } as const;
  await week.does(tablet, week.clerk(shop), action, { parcels: listed, onAnswer });
}

async function unscan(week: Week, { deliveryId, shop }: Visit, { label }: Parcel, tablet: Tablet): Promise<void> {
  await week.does(tablet, week.clerk(shop), { case: "unscanParcel", value: { deliveryId, label } });
}

/** Takes everything off a list that nobody will sign, and closes it. */
export async function giveUp(week: Week, visit: Visit, tablet: Tablet): Promise<void> {
  const { deliveryId, shop } = visit;
  const stored = (await look(tablet))?.deliveries.find((one) => one.deliveryId === deliveryId);
  for (const { label } of stored?.parcels ?? []) {
    await week.does(tablet, week.clerk(shop), { case: "unscanParcel", value: { deliveryId, label } });
  }
  const { result } = await week.does(tablet, week.clerk(shop), { case: "closeDelivery", value: { deliveryId, courierCode: "" } });
  if (result !== undefined) visit.isOver = true;
  week.say("a delivery is given up", shop);
}

/** What the tablet's screens show. Undefined: the agent cannot be reached. */
export async function look(tablet: Tablet) {
  return (await tablet.look().catch(() => undefined))?.counter;
}
