import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { MoneySchema, ParcelRequirement, Purpose } from "@petak/protocol";
import { type Parcel, ParcelPlace, ParcelSchema } from "@petak/protocol/counter";

const dayMs = 86_400_000;

/** A made-up parcel, and the code of whoever comes for it. */
export interface MadeUpParcel {
  readonly parcel: Parcel;
  /** What its customer shows. Two parcels may have one code. Empty: none. */
  readonly code: string;
}

interface Facts {
  place?: ParcelPlace;
  code?: string;
  at: string;
  size: string;
  label: string;
  requirements?: ParcelRequirement[];
  cash?: bigint;
  agedDays?: number;
  purpose?: Purpose;
}

/** The parcels that each practice begins with. */
const facts: readonly Facts[] = [
  { at: "B-07", size: "S", label: "JX4817724K2", code: "482913" },
  { at: "A-02", size: "S", label: "JX4817811M7", code: "730155" },
  { at: "C-01", size: "M", label: "PT20093118X", code: "730155" },
  { at: "C-04", size: "L", label: "PT20093340R", code: "619240", requirements: [ParcelRequirement.AGE_CHECK] },
  { at: "A-05", size: "S", label: "JX4817900Q3", code: "205518", requirements: [ParcelRequirement.CASH_ON_DELIVERY], cash: 45n },
  { at: "B-02", size: "M", label: "PT20091774B", agedDays: 9, place: ParcelPlace.FOR_COURIER },
  { at: "B-03", size: "S", label: "JX4816002D8", agedDays: 11, place: ParcelPlace.FOR_COURIER },
  { at: "A-06", size: "S", label: "JX4818001A1", place: ParcelPlace.EXPECTED },
  { at: "A-07", size: "S", label: "JX4818002A2", place: ParcelPlace.EXPECTED },
  { at: "C-02", size: "M", label: "JX4818003A3", place: ParcelPlace.EXPECTED },
  { at: "A-08", size: "S", label: "RT7700110", code: "RETURN-31", place: ParcelPlace.EXPECTED, purpose: Purpose.RETURN },
];

/** Makes the parcels, as if they had come before now. */
export function makeUpParcels(nowMs: number): MadeUpParcel[] {
  return facts.map(
    ({ at, size, label, code = "", place = ParcelPlace.ON_SHELF, requirements = [], cash, agedDays = 1, purpose }, index) => ({
      code,
      parcel: create(ParcelSchema, {
        reservationId: `practice-${index + 1}`,
        place,
        shelfPlace: at,
        labelCodes: [label],
        sizeClassId: size,
        purpose: purpose ?? Purpose.DELIVERY,
        courierName: label.startsWith("PT") ? "Pantas" : "Jalan Express",
        cameAt: place === ParcelPlace.EXPECTED ? undefined : timestampFromMs(nowMs - agedDays * dayMs),
        collectUntil: timestampFromMs(nowMs + (7 - agedDays) * dayMs),
        requirements,
        cashDue: cash === undefined ? undefined : create(MoneySchema, { currencyCode: "MYR", units: cash, nanos: 500_000_000 }),
      }),
    }),
  );
}

/** How many places the made-up shelf has, by size. */
export const madeUpPlaces: Readonly<Record<string, number>> = { S: 18, M: 8, L: 1 };

/** A label that belongs to no parcel. */
export const strangeLabel = "XX0000000";

/** What the made-up courier shows. */
export const madeUpCourierCode = "COURIER-7";
