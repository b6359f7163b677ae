import { Act, ParcelRequirement } from "@petak/protocol";
import { EndReason, EntryRefusal, type HandOver } from "@petak/protocol/counter";
import { nameOf } from "../life/life-world.ts";
import type { Tablet } from "./tablet.ts";
import type { Code, Parcel, Shop } from "./truth.ts";
import { money, type Week } from "./week.ts";

const done = EntryRefusal.UNSPECIFIED;

/** Somebody shows a code, which may be an old one. */
export async function showCode(week: Week, shop: Shop): Promise<void> {
  const { random } = week;
  const parcels = week.parcelsAt(shop).filter(({ codes }) => codes.length > 0);
  const likely = parcels.filter(({ where, codes }) => where === (codes[0]?.act === Act.DEPOSIT ? "outside" : "on the shelf"));
  const from = likely.length > 0 && random.bool(0.85) ? likely : parcels;
  if (from.length === 0) return;
  const code = random.pick(random.pick(from).codes);
  const clerkId = week.clerk(shop);
  if (random.bool(0.1)) return await showTwice(week, shop, code, clerkId);
  const tablet = random.pick(shop.tablets);
  const handOver = await judge(week, code, tablet, clerkId);
  if (handOver !== undefined) await use(week, code, tablet, clerkId, handOver);
}

/** Two people show the same code at the same time, on two tablets. */
async function showTwice(week: Week, shop: Shop, code: Code, clerkId: string): Promise<void> {
  const shown = await Promise.all(shop.tablets.map(async (tablet) => ({ tablet, handOver: await judge(week, code, tablet, clerkId) })));
  const begun = shown.flatMap(({ tablet, handOver }) => (handOver === undefined ? [] : [{ tablet, handOver }]));
  if (begun.length > 1) week.fault(`the code of ${code.parcel.label} is good on two tablets at once`);
  for (const { tablet, handOver } of begun) await use(week, code, tablet, clerkId, handOver);
}

/** Shows a code on a tablet, and judges what the agent says. A tablet that cannot reach its agent begins no hand-over. */
export async function judge(week: Week, code: Code, tablet: Tablet, clerkId: string): Promise<HandOver | undefined> {
  const { parcel } = code;
  if (tablet.isCut) return undefined;
  const { result, withdraw } = await week.does(tablet, clerkId, { case: "showCode", value: { text: code.text } });
  if (result === undefined) {
    await withdraw();
    return undefined;
  }
  const { handOver, refusal } = result;
  if (handOver === undefined) {
    week.say(`a code of ${parcel.label} is refused: ${nameOf(EntryRefusal, refusal)}`, parcel.shop);
    return undefined;
  }
  week.say(`a code of ${parcel.label} begins a hand-over`, parcel.shop);
  if (!code.begun.has(handOver.handOverId) && code.moved > 0 && !parcel.isLoose)
    week.fault(`the code of ${parcel.label} is accepted again`);
  const isThere = code.act === Act.DEPOSIT ? parcel.where === "outside" : parcel.where === "on the shelf";
  if (!isThere && !parcel.isLoose) week.fault(`a code of ${parcel.label}, which is ${parcel.where}, is accepted`);
  code.begun.add(handOver.handOverId);
  return handOver;
}

async function use(week: Week, code: Code, tablet: Tablet, clerkId: string, handOver: HandOver): Promise<void> {
  const { random } = week;
  const { parcel } = code;
  const isThere = parcel.where === (code.act === Act.DEPOSIT ? "outside" : "on the shelf");
  if (random.bool(0.05)) tablet.isCut = true;
  if (random.bool(0.03)) tablet.isPowerToGo = true;
  // The clerk is called away; the screen stays as it is.
  if (random.bool(0.04)) return;
  if (!isThere) return await end(week, parcel, tablet, clerkId, handOver, EndReason.CANNOT_FIND);
  if (random.bool(0.1)) await moveWrong(week, parcel, tablet, clerkId, handOver);
  if (random.bool(0.85)) return await move(week, code, tablet, clerkId, handOver);
  const reasons = [EndReason.NOT_NOW, EndReason.NOT_NOW, EndReason.CHECK_FAILED, EndReason.REFUSED_BY_PERSON, EndReason.CANNOT_FIND];
  await end(week, parcel, tablet, clerkId, handOver, random.pick(reasons));
}

/** The right parcel changes hands. Whether the agent answers or not, the person has it, or the clerk. */
export async function move(week: Week, code: Code, tablet: Tablet, clerkId: string, { handOverId }: HandOver): Promise<void> {
  const { parcel, act } = code;
  const { shop, label, cash } = parcel;
  const isPaid = act === Act.COLLECT && cash > 0;
  const till = week.till(shop, clerkId);
  if (isPaid) till.waiting += 1;
  const paid = isPaid ? { checksDone: [ParcelRequirement.CASH_ON_DELIVERY], cashCollected: money(cash) } : {};
  const to = act === Act.DEPOSIT ? "on the shelf" : "with its collector";
  code.moved += 1;
  parcel.where = to;
  const { result } = await week.does(
    tablet,
    clerkId,
    { case: "moveParcel", value: { handOverId, label, ...paid } },
    {
      parcels: [parcel],
      onAnswer({ refusal }, record) {
        if (refusal !== done) return week.fault(`the move of ${label} is refused: ${nameOf(EntryRefusal, refusal)}`);
        record(parcel, { isRecorded: act === Act.DEPOSIT, isLoose: false });
        if (isPaid) Object.assign(till, { cash: till.cash + cash, waiting: till.waiting - 1, touchedAt: week.next() });
      },
      onLost() {
        if (isPaid) Object.assign(till, { isLoose: true, waiting: till.waiting - 1 });
      },
    },
  );
  week.say(`${label} is ${to}${result === undefined ? ", and the store has not heard of it" : ""}`, shop);
}

async function moveWrong(
  week: Week,
  parcel: Parcel,
  tablet: Tablet,
  clerkId: string,
  { handOverId, act, labelEnding }: HandOver,
): Promise<void> {
  // Without its agent the app compares the label itself. What comes in unannounced may have any.
  if (tablet.isCut || (act === Act.DEPOSIT && labelEnding === "")) return;
  const other = week.parcelsAt(parcel.shop).find((one) => one !== parcel && one.isRecorded)?.label ?? "NOBODY";
  const onAnswer = ({ refusal }: { refusal: EntryRefusal }) => {
    if (refusal !== EntryRefusal.WRONG_PARCEL) week.fault(`${other} is taken for ${parcel.label}: ${nameOf(EntryRefusal, refusal)}`);
  };
  await week.does(tablet, clerkId, { case: "moveParcel", value: { handOverId, label: other } }, { onAnswer });
}

/** A hand-over ends without its parcel. */
export async function end(
  week: Week,
  parcel: Parcel,
  tablet: Tablet,
  clerkId: string,
  { handOverId, act }: HandOver,
  reason: EndReason,
): Promise<void> {
  const isMissed = reason === EndReason.CANNOT_FIND && act !== Act.DEPOSIT;
  await week.does(
    tablet,
    clerkId,
    { case: "endHandOver", value: { handOverId, reason } },
    {
      parcels: [parcel],
      onAnswer({ refusal }, record) {
        if (refusal !== done)
          return week.say(`the end of a hand-over of ${parcel.label} is refused: ${nameOf(EntryRefusal, refusal)}`, parcel.shop);
        record(parcel, { isLoose: false, ...(isMissed && { isMissed: true, isRecorded: false }) });
      },
    },
  );
  week.say(`a hand-over of ${parcel.label} ends: ${nameOf(EndReason, reason)}`, parcel.shop);
}

/** A parcel that a clerk could not find is found, and put on a place. */
export async function findAgain(week: Week, shop: Shop): Promise<void> {
  const { random } = week;
  const missed = week.parcelsAt(shop).filter(({ where, isMissed, isRecorded }) => where === "on the shelf" && isMissed && !isRecorded);
  if (missed.length === 0) return;
  const parcel = random.pick(missed);
  const tablet = random.pick(shop.tablets);
  const seen = (await tablet.look().catch(() => undefined))?.parcels.find(({ reservationId }) => reservationId === parcel.reservationId);
  if (seen === undefined) return;
  await week.does(
    tablet,
    week.clerk(shop),
    { case: "placeParcel", value: { reservationId: parcel.reservationId, shelfPlace: seen.shelfPlace } },
    {
      parcels: [parcel],
      onAnswer({ refusal }, record) {
        if (refusal === done) record(parcel, { isRecorded: true, isLoose: false });
      },
    },
  );
  week.say(`${parcel.label} is found`, shop);
}
