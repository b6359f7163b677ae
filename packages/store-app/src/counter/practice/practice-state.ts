import { create } from "@bufbuild/protobuf";
import { type Timestamp, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Act, type Money, MoneySchema } from "@petak/protocol";
import { ClerkRole, type Counter, CounterSchema, ParcelPlace, type SizeLimit } from "@petak/protocol/counter";
import type { Deliveries } from "./deliveries.ts";
import type { HandOvers } from "./hand-overs.ts";
import { madeUpPlaces } from "./made-up.ts";
import { createShelf, freePlaces, isHere, type Shelf } from "./shelf.ts";

const clerk = { clerkId: "practice", name: "Siti", role: ClerkRole.OWNER };

/** What the made-up store counts. */
interface Tally {
  accepted: number;
  handedOver: number;
  takenIn: number;
  givenBack: number;
  /** Cash of the shift. */
  cash: Money;
  /** Undefined: no shift has begun. */
  shiftBeganAtMs: number | undefined;
}

/** What the made-up store takes. */
interface Intake {
  readonly isPaused: boolean;
  readonly pausedUntil?: Timestamp;
  readonly limits: readonly SizeLimit[];
}

/** The made-up store. */
export interface PracticeState {
  readonly name: string;
  readonly tabletId: string;
  readonly now: () => number;
  readonly shelf: Shelf;
  readonly handOvers: HandOvers;
  readonly deliveries: Deliveries;
  readonly tally: Tally;
  intake: Intake;
}

export function noCash(): Money {
  return create(MoneySchema, { currencyCode: "MYR" });
}

/** Makes a store with its parcels. */
export function createPracticeState(name: string, tabletId: string, now: () => number): PracticeState {
  const tally: Tally = { accepted: 0, handedOver: 0, takenIn: 0, givenBack: 0, cash: noCash(), shiftBeganAtMs: undefined };
  const handOvers: HandOvers = {
    open: [],
    onMoved(act, cash) {
      tally.cash.units += cash?.units ?? 0n;
      tally.cash.nanos += cash?.nanos ?? 0;
      if (act === Act.DEPOSIT) tally.takenIn += 1;
      else tally.handedOver += 1;
    },
  };
  return {
    name,
    tabletId,
    now,
    shelf: createShelf(now()),
    handOvers,
    deliveries: new Map(),
    tally,
    intake: { isPaused: false, limits: [] },
  };
}

/** What the screens show of it. */
export function describe({ name, tabletId, now, shelf, handOvers, deliveries, tally, intake }: PracticeState): Counter {
  const count = (place: ParcelPlace): number => shelf.all.filter(({ parcel }) => parcel.place === place).length;
  const takes = Object.keys(madeUpPlaces).map((sizeClassId) => {
    const free = freePlaces(shelf, sizeClassId);
    const limit = intake.limits.find((one) => one.sizeClassId === sizeClassId)?.more;
    return { sizeClassId, free, more: Math.min(free, limit ?? free) };
  });
  const { shiftBeganAtMs, cash } = tally;
  return create(CounterSchema, {
    siteId: "practice",
    name,
    clerks: [clerk],
    clerk,
    now: timestampFromMs(now()),
    link: { isOnline: true, lastContactAt: timestampFromMs(now()) },
    onShelf: shelf.all.filter(({ parcel }) => isHere(parcel)).length,
    forCourier: count(ParcelPlace.FOR_COURIER),
    expected: count(ParcelPlace.EXPECTED),
    takes,
    intakePaused: intake.isPaused,
    pausedUntil: intake.pausedUntil,
    parcelsVersion: shelf.version,
    handOvers: handOvers.open.map(({ handOver }) => ({ ...handOver, tabletId })),
    deliveries: [...deliveries.values()].map((delivery) => ({ ...delivery, tabletId })),
    shift: shiftBeganAtMs === undefined ? undefined : { beganAt: timestampFromMs(shiftBeganAtMs), cash: [{ ...cash }] },
    month: {
      month: new Date(now()).toISOString().slice(0, 7),
      accepted: tally.accepted,
      handedOver: tally.handedOver,
      takenIn: tally.takenIn,
      givenBack: tally.givenBack,
    },
    photosKeptDays: 30,
  });
}
