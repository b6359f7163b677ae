import { EntryRefusal, type EntryResult } from "@petak/protocol/counter";
import { nameOf } from "../life/life-world.ts";
import type { Count, Parcel, Shop } from "./truth.ts";
import { money, type Week } from "./week.ts";

/** A clerk's shift begins. */
export async function beginShift(week: Week, shop: Shop, clerkId = week.clerk(shop)): Promise<void> {
  await week.does(week.random.pick(shop.tablets), clerkId, { case: "beginShift", value: {} });
}

/** A clerk counts the shelf and the till, and may count wrong. @param isExact scans every parcel that is there, and nothing else */
export async function endShift(week: Week, shop: Shop, isExact = false, clerkId = week.clerk(shop)): Promise<Count> {
  const { random } = week;
  const there = week.parcelsAt(shop).filter(({ where }) => where === "on the shelf");
  const isWrong = !isExact && random.bool(0.3);
  const seen = random.shuffle(there).slice(isWrong ? 1 : 0);
  const strays = isWrong && random.bool(0.3) ? ["FROM-ANOTHER-SHOP"] : [];
  const isScanned = isExact || random.bool(0.8);
  const labels = isScanned ? [...seen.map(({ label }) => label), ...strays] : [];
  const till = week.till(shop, clerkId);
  const count: Count = {
    ...{ shop, clerkId, at: week.next(), labels, strays, counted: isScanned ? labels.length : seen.length },
    ...{ cash: till.cash - (isWrong && till.cash > 0 ? 1 : 0), outcome: "waits" },
  };
  week.truth.counts.push(count);
  const cash = count.cash > 0 ? [money(count.cash)] : [];
  const value = labels.length > 0 ? { labels, cash } : { counted: count.counted, cash };
  const onLost = () => {
    count.outcome = "lost";
    till.isLoose = true;
  };
  await week.does(
    random.pick(shop.tablets),
    clerkId,
    { case: "endShift", value },
    { onAnswer: (result) => judgeCount(week, count, result), onLost },
  );
  week.say(`${clerkId} counts ${count.counted}${isWrong ? ", and is wrong" : ""}: ${count.outcome}`, shop);
  return count;
}

/** Compares what a count says with what really lay there, and with what the store has answered before. */
function judgeCount(week: Week, count: Count, { refusal, shiftCount }: EntryResult): void {
  const { shop, clerkId, labels, strays } = count;
  const till = week.till(shop, clerkId);
  if (refusal === EntryRefusal.OVER) {
    count.outcome = "no shift";
    return;
  }
  if (refusal !== EntryRefusal.UNSPECIFIED || shiftCount === undefined) {
    week.fault(`a count is refused: ${nameOf(EntryRefusal, refusal)}`);
    return;
  }
  Object.assign(count, { outcome: "counted", shown: shiftCount });
  const all = week.parcelsAt(shop);
  const certain = all.filter((parcel) => week.isCertain(parcel, count.at));
  const { missing, surplus, expected, cashExpected } = shiftCount;
  const unexplained = (what: string, { label }: Pick<Parcel, "label">) =>
    week.fault(`${label} is ${what} in a count of ${clerkId} at ${shop.name}`);
  if (labels.length > 0) {
    for (const parcel of certain) {
      const isScanned = labels.includes(parcel.label);
      if (missing.includes(parcel.reservationId) !== (parcel.isRecorded && !isScanned)) unexplained("missing, or not,", parcel);
      if (surplus.includes(parcel.label) !== (isScanned && !parcel.isRecorded)) unexplained("too many, or not,", parcel);
    }
    for (const label of surplus)
      if (!strays.includes(label) && !all.some((parcel) => parcel.label === label)) unexplained("surplus", { label });
  }
  const recorded = certain.filter(({ isRecorded }) => isRecorded).length;
  const uncertain = all.length - certain.length;
  if (expected < recorded || expected > recorded + uncertain)
    week.fault(`a count expects ${expected} of ${recorded} to ${recorded + uncertain}`);
  const isTillKnown = !till.isLoose && till.waiting === 0 && till.touchedAt < count.at;
  if (isTillKnown && Number(cashExpected[0]?.units ?? 0n) !== till.cash) {
    week.fault(`the till of ${clerkId} should hold ${till.cash}, and the store says ${cashExpected[0]?.units ?? 0n}`);
  }
  Object.assign(till, { cash: 0, isLoose: till.waiting > 0 || till.touchedAt > count.at });
}
