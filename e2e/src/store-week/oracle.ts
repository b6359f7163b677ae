import { EventType, ReservationState } from "@petak/protocol";
import { ParcelPlace, type Takes } from "@petak/protocol/counter";
import { nameOf } from "../life/life-world.ts";
import type { Parcel } from "./truth.ts";

const S = ReservationState;

/** A parcel, where it really is, and what is said of it. */
export interface SeenParcel extends Pick<Parcel, "label" | "where" | "isMissed" | "sizeClassId"> {
  readonly shop: string;
  readonly state: ReservationState;
  /** The place, by the gateway. */
  readonly compartmentId: string;
  readonly events: readonly EventType[];
  /** How often it changed hands by its codes: into the store, and out of it. */
  readonly movedIn: number;
  readonly movedOut: number;
}

/** A store's shelf and what it takes, as its agent says and as its gateway says. */
export interface SeenShop {
  readonly name: string;
  readonly shelf: readonly { readonly label: string; readonly place: ParcelPlace; readonly shelfPlace: string }[];
  readonly takes: readonly Pick<Takes, "sizeClassId" | "more" | "free">[];
  readonly offered: readonly {
    readonly sizeClassId: string;
    readonly installed: number;
    readonly occupied: number;
    readonly held: number;
    readonly freeToPromise: number;
  }[];
}

/** A count as its clerk saw it, or as the operator's feed has it. */
export interface SeenCount {
  readonly shop: string;
  readonly clerkId: string;
  readonly expected: number;
  readonly counted: number;
  readonly cash: number;
  readonly countedCash: number;
}

/** All that can be seen when a week has ended. */
export interface Seen {
  readonly parcels: readonly SeenParcel[];
  readonly shops: readonly SeenShop[];
  /** Counts that clerks have seen, and how many were lost with their tablets, by shop and clerk. */
  readonly counts: readonly SeenCount[];
  readonly lostCounts: readonly Pick<SeenCount, "shop" | "clerkId">[];
  readonly countEvents: readonly SeenCount[];
}

/** What the gateway may say of a parcel, by where it really is. */
const states: Readonly<Record<Parcel["where"], readonly ReservationState[]>> = {
  outside: [S.CONFIRMED, S.CANCELLED, S.NO_SHOW],
  "on the shelf": [S.DEPOSITED],
  "with its collector": [S.COLLECTED],
  "with its courier": [S.RECALLED, S.COLLECTED],
};

/** What is wrong with what is seen: nothing, where all has gone as it should. */
export function faultsIn(seen: Seen): string[] {
  return [
    ...seen.parcels.flatMap((parcel) => parcelFaults(parcel, seen)),
    ...seen.shops.flatMap((shop) => shopFaults(shop, seen)),
    ...countFaults(seen),
  ];
}

function parcelFaults(parcel: SeenParcel, { shops }: Seen): string[] {
  const { label, where, isMissed, state, compartmentId, events, movedIn, movedOut } = parcel;
  const faults: string[] = [];
  // In doubt until it leaves: a parcel that was found again, and one that came when nobody could expect it any more.
  const isLate = events.includes(EventType.RESERVATION_CANCELLED) || events.includes(EventType.RESERVATION_NO_SHOW);
  const isDoubtful = where === "on the shelf" && (isMissed || isLate) && state === S.IN_DOUBT;
  if (!states[where].includes(state) && !isDoubtful) faults.push(`${label} is ${where}, and the gateway says ${nameOf(S, state)}`);
  const count = (...types: EventType[]) => events.filter((type) => types.includes(type)).length;
  if (count(EventType.PARCEL_DEPOSITED) > 1) faults.push(`${label} came more than once`);
  if (count(EventType.PARCEL_COLLECTED, EventType.PARCEL_RECALLED) > 1) faults.push(`${label} left more than once`);
  if (movedIn > 1 || movedOut > 1) faults.push(`a code of ${label} was accepted twice`);
  const entries = shops.flatMap(({ name, shelf }) => shelf.filter((one) => one.label === label).map((one) => ({ ...one, shop: name })));
  const lying = entries.filter(({ place }) => place === ParcelPlace.ON_SHELF || place === ParcelPlace.FOR_COURIER);
  if (lying.length !== (where === "on the shelf" ? 1 : 0)) faults.push(`${label} is ${where}, and lies on ${lying.length} shelves`);
  for (const { shelfPlace, shop } of lying) {
    if (shop !== parcel.shop) faults.push(`${label} lies in another store`);
    if (shelfPlace !== compartmentId) faults.push(`${label} lies on ${shelfPlace}, and the gateway says ${compartmentId}`);
  }
  return faults;
}

function shopFaults({ name, takes, offered, shelf }: SeenShop, { parcels }: Seen): string[] {
  const own = parcels.filter(({ shop }) => shop === name);
  const faults = offered.flatMap(({ sizeClassId, installed, occupied, held, freeToPromise }) => {
    const of = (where: Parcel["where"], ...wanted: ReservationState[]) =>
      own.filter((parcel) => parcel.sizeClassId === sizeClassId && parcel.where === where && wanted.includes(parcel.state)).length;
    const really = { occupied: of("on the shelf", S.DEPOSITED, S.IN_DOUBT), held: of("outside", S.CONFIRMED) };
    const { more, free } = takes.find((one) => one.sizeClassId === sizeClassId) ?? {};
    const reallyFree = installed - really.occupied;
    return [
      ...(occupied === really.occupied ? [] : [`${name}: ${occupied} of ${sizeClassId} are occupied, really ${really.occupied}`]),
      ...(held === really.held ? [] : [`${name}: ${held} of ${sizeClassId} are held, really ${really.held}`]),
      ...(free === reallyFree ? [] : [`${name} has ${free} places of ${sizeClassId} free, really ${reallyFree}`]),
      ...(more === freeToPromise ? [] : [`${name} takes ${more} more of ${sizeClassId}, and the gateway offers ${freeToPromise}`]),
    ];
  });
  const places = shelf.filter(({ place }) => place !== ParcelPlace.EXPECTED).map(({ shelfPlace }) => shelfPlace);
  return new Set(places).size === places.length ? faults : [...faults, `${name} has two parcels on one place`];
}

function countFaults({ counts, lostCounts, countEvents }: Seen): string[] {
  const textOf = (count: SeenCount) => JSON.stringify(count, Object.keys(count).toSorted());
  const left = countEvents.map((event) => ({ event, text: textOf(event) }));
  const faults: string[] = [];
  for (const count of counts) {
    const index = left.findIndex(({ text }) => text === textOf(count));
    if (index < 0) faults.push(`the operator has not heard of a count of ${count.clerkId} at ${count.shop}`);
    else left.splice(index, 1);
  }
  const lost = lostCounts.map(({ shop, clerkId }) => `${shop} ${clerkId}`);
  for (const { event } of left) {
    const index = lost.indexOf(`${event.shop} ${event.clerkId}`);
    // One whose answer was lost with its tablet was a count all the same.
    if (index < 0) faults.push(`the operator has heard of a count of ${event.clerkId} at ${event.shop} that nobody made`);
    else lost.splice(index, 1);
  }
  return faults;
}
