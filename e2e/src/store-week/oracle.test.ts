import { EventType, ReservationState } from "@petak/protocol";
import { ParcelPlace } from "@petak/protocol/counter";
import { expect, it } from "vitest";
import { faultsIn, type Seen, type SeenCount, type SeenParcel, type SeenShop } from "./oracle.ts";

const { PARCEL_DEPOSITED, PARCEL_COLLECTED, RESERVATION_CANCELLED } = EventType;
const { DEPOSITED, COLLECTED, CONFIRMED, IN_DOUBT } = ReservationState;

const lying: SeenParcel = {
  ...{ shop: "Bugis", label: "P1", where: "on the shelf", isMissed: false, sizeClassId: "S", state: DEPOSITED, compartmentId: "S1" },
  ...{ events: [PARCEL_DEPOSITED], movedIn: 0, movedOut: 0 },
};
const gone: SeenParcel = {
  ...{ shop: "Bugis", label: "P2", where: "with its collector", isMissed: false, sizeClassId: "S", state: COLLECTED, compartmentId: "S2" },
  ...{ events: [PARCEL_DEPOSITED, PARCEL_COLLECTED], movedIn: 0, movedOut: 1 },
};
const toCome: SeenParcel = { ...gone, label: "P3", where: "outside", state: CONFIRMED, events: [], movedOut: 0 };
const entry = { label: "P1", place: ParcelPlace.ON_SHELF, shelfPlace: "S1" };
const offered = { sizeClassId: "S", installed: 6, occupied: 0, held: 0, freeToPromise: 4 };
const shop: SeenShop = {
  name: "Bugis",
  shelf: [entry, { label: "P3", place: ParcelPlace.EXPECTED, shelfPlace: "" }],
  takes: [{ sizeClassId: "S", more: 4, free: 5 }],
  offered: [{ ...offered, occupied: 1, held: 1 }],
};
const other: SeenShop = { ...shop, name: "Orchard", shelf: [], takes: [{ sizeClassId: "S", more: 4, free: 6 }], offered: [offered] };
const count: SeenCount = { shop: "Bugis", clerkId: "clerk-1", expected: 1, counted: 1, cash: 12, countedCash: 12 };
const good: Seen = { parcels: [lying, gone, toCome], shops: [shop, other], counts: [count], lostCounts: [], countEvents: [count] };

const withParcel = (parcel: SeenParcel): Seen => ({
  ...good,
  parcels: good.parcels.map((one) => (one.label === parcel.label ? parcel : one)),
});
const withShop = (changed: SeenShop): Seen => ({ ...good, shops: good.shops.map((one) => (one.name === changed.name ? changed : one)) });

it("finds nothing where all is as it should be, nor where the gateway rightly doubts or an answer was lost", () => {
  expect(faultsIn(good)).toEqual([]);
  expect(faultsIn(withParcel({ ...lying, isMissed: true, state: IN_DOUBT }))).toEqual([]);
  expect(faultsIn(withParcel({ ...lying, events: [RESERVATION_CANCELLED, PARCEL_DEPOSITED], state: IN_DOUBT }))).toEqual([]);
  expect(faultsIn({ ...good, counts: [], lostCounts: [{ shop: "Bugis", clerkId: "clerk-1" }] })).toEqual([]);
});

it.each<[fault: RegExp, seen: Seen]>([
  [/P1 is on the shelf, and the gateway says COLLECTED/, withParcel({ ...lying, state: COLLECTED })],
  [/P1 is on the shelf, and the gateway says IN_DOUBT/, withParcel({ ...lying, state: IN_DOUBT })],
  [/P2 is with its collector, and the gateway says DEPOSITED/, withParcel({ ...gone, state: DEPOSITED })],
  [/P1 came more than once/, withParcel({ ...lying, events: [PARCEL_DEPOSITED, PARCEL_DEPOSITED] })],
  [/P2 left more than once/, withParcel({ ...gone, events: [PARCEL_COLLECTED, EventType.PARCEL_RECALLED] })],
  [/a code of P2 was accepted twice/, withParcel({ ...gone, movedOut: 2 })],
  [/P1 is on the shelf, and lies on 0 shelves/, withShop({ ...shop, shelf: [] })],
  [/P1 is on the shelf, and lies on 2 shelves/, withShop({ ...other, shelf: [entry] })],
  [
    /P2 is with its collector, and lies on 1 shelves/,
    withShop({ ...shop, shelf: [...shop.shelf, { ...entry, label: "P2", shelfPlace: "S2" }] }),
  ],
  [/P1 lies in another store/, withParcel({ ...lying, shop: "Orchard" })],
  [/P1 lies on S3, and the gateway says S1/, withShop({ ...shop, shelf: [{ ...entry, shelfPlace: "S3" }] })],
  [/Bugis has two parcels on one place/, withShop({ ...shop, shelf: [entry, { ...entry, label: "P2" }] })],
  [/Bugis: 2 of S are occupied, really 1/, withShop({ ...shop, offered: [{ ...offered, occupied: 2, held: 1 }] })],
  [/Bugis: 0 of S are held, really 1/, withShop({ ...shop, offered: [{ ...offered, occupied: 1, held: 0 }] })],
  [/Bugis takes 3 more of S, and the gateway offers 4/, withShop({ ...shop, takes: [{ sizeClassId: "S", more: 3, free: 5 }] })],
  [/Bugis has 4 places of S free, really 5/, withShop({ ...shop, takes: [{ sizeClassId: "S", more: 4, free: 4 }] })],
  [/has not heard of a count of clerk-1/, { ...good, countEvents: [] }],
  [/has not heard of a count of clerk-1/, { ...good, countEvents: [{ ...count, expected: 2 }] }],
  [/has heard of a count of clerk-1 at Bugis that nobody made/, { ...good, countEvents: [count, count] }],
  [/has heard of a count of clerk-2 at Bugis that nobody made/, { ...good, countEvents: [count, { ...count, clerkId: "clerk-2" }] }],
])("finds what is wrong: %s", (fault, seen) => {
  expect(faultsIn(seen)).toContainEqual(expect.stringMatching(fault));
});
