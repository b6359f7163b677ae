import { create } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { Money } from "@petak/protocol";
import { type EndShift, EntryRefusal, type EntryResult, type ShiftCount, ShiftCountSchema } from "@petak/protocol/counter";
import type { Desk } from "../agent.ts";
import type { AgentStore } from "../store/agent-store.ts";
import { type Made, refused, result } from "./entry.ts";
import { isSame, type Parcels, placeCode } from "./parcels.ts";

/** The shifts of a store's clerks. */
export interface Shifts {
  begin(made: Made): EntryResult;
  /** Ends a shift, and says how the count differs from the record. */
  end(made: Made, counted: EndShift): EntryResult;
}

/** The most currencies in a report. */
const currenciesMax = 16;

/** Makes them. */
export function createShifts({ desk, store, parcels }: { desk: Desk; store: AgentStore; parcels: Parcels }): Shifts {
  const { counter } = store;
  return {
    begin(made) {
      return store.transaction(() => {
        if (counter.shift(made.clerkId) === undefined) counter.beginShift(made.clerkId, desk.nowMs());
        const begun = result(made);
        counter.saveResult(begun, desk.nowMs());
        return begun;
      });
    },
    end(made, { labels, counted, cash }) {
      const shift = counter.shift(made.clerkId);
      if (shift === undefined) return refused(made, EntryRefusal.OVER);
      const lying = parcels.lying();
      const isOn = (label: string) => (parcel: (typeof lying)[number]) =>
        parcels.isLabelOf(label, parcel) || isSame(label, placeCode(parcel.placeId));
      const isScanned = labels.length > 0;
      const missing = isScanned ? lying.filter((parcel) => !labels.some((label) => isOn(label)(parcel))) : [];
      const count = create(ShiftCountSchema, {
        expected: lying.length,
        counted: isScanned ? labels.length : (counted ?? 0),
        missing: missing.map(({ reservationId }) => reservationId),
        surplus: labels.filter((label) => !lying.some(isOn(label))),
        cashExpected: shift.cash,
      });
      return store.transaction(() => {
        counter.endShift(made.clerkId);
        const beganAtMs = shift.beganAt === undefined ? desk.nowMs() : timestampMs(shift.beganAt);
        desk.shiftCounted(made.clerkId, { beganAtMs, ...numbersOf(count, isScanned), cash: tillOf(shift.cash, cash) });
        const ended = result(made, { shiftCount: count });
        counter.saveResult(ended, desk.nowMs());
        return ended;
      });
    },
  };
}

/** The numbers of a count. Of a shelf whose parcels were not scanned only the difference is known. */
function numbersOf({ expected, counted, missing, surplus }: ShiftCount, isScanned: boolean) {
  return {
    ...{ expected, counted },
    missing: isScanned ? missing.length : Math.max(0, expected - counted),
    surplus: isScanned ? surplus.length : Math.max(0, counted - expected),
  };
}

/** What the till should hold and what was counted, by currency. */
function tillOf(expected: readonly Money[], counted: readonly Money[]) {
  const of = (cash: readonly Money[], code: string) => cash.find(({ currencyCode }) => currencyCode === code);
  const currencies = new Set([...expected, ...counted].map(({ currencyCode }) => currencyCode));
  return [...currencies].slice(0, currenciesMax).map((currencyCode) => {
    const [should, is] = [of(expected, currencyCode), of(counted, currencyCode)];
    return {
      currencyCode,
      ...{ expectedUnits: should?.units ?? 0n, expectedNanos: should?.nanos ?? 0 },
      ...{ countedUnits: is?.units ?? 0n, countedNanos: is?.nanos ?? 0 },
    };
  });
}
