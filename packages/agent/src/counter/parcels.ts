import { create } from "@bufbuild/protobuf";
import { type Timestamp, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { awaitsParticipant, hasEnded } from "@petak/lifecycle";
import { Act, type Allowance, type Money, ParcelRequirement, Purpose, ReservationState } from "@petak/protocol";
import { Direction, type Parcel, ParcelPlace, ParcelSchema } from "@petak/protocol/counter";
import { canonicalLabelCode } from "@petak/protocol/label-code";
import type { AgentStore } from "../store/agent-store.ts";
import type { PlaceOrder } from "./place-order.ts";
import type { Shelf } from "./shelf.ts";

/** What a store knows of a parcel before it looks at it. */
export interface ParcelFacts {
  readonly reservationId: string;
  readonly sizeClassId: string;
  /** The codes on its label: those that were announced, and the one with which it came. */
  readonly labelCodes: readonly string[];
  readonly purpose: Purpose;
  readonly courierName: string;
  /** The courier's participant. Empty: unknown. */
  readonly courierId: string;
  readonly requirements: readonly ParcelRequirement[];
  readonly cashDue: Money | undefined;
  readonly collectUntil: Timestamp | undefined;
}

/** The parcels of a store, by the agent's own record and what the gateway has announced. */
export interface Parcels {
  facts(reservationId: string): ParcelFacts;
  /** Keeps its facts, since a clerk has it in hand now: they hold for it also when its reservation ends. Call it within a transaction. */
  keepFacts(reservationId: string, nowMs: number): void;
  /** Where a parcel lies, by the agent's record. Undefined: it is not here. */
  placeOf(reservationId: string): string | undefined;
  /** The parcels that should be on the shelf. */
  lying(): { readonly placeId: string; readonly reservationId: string }[];
  /** The places of parcels that a clerk could not find, and of which the gateway knows what became of them. */
  resolved(): string[];
  /** Whether what was scanned is on the parcel, or stands for it. */
  isLabelOf(label: string, parcel: { readonly reservationId: string; readonly placeId: string }): boolean;
  /** The parcels on the shelf or expected that have a label. */
  withLabel(label: string): string[];
  /** Those that are expected of it, and those on the shelf that a courier is to take. */
  expectedWith(label: string): string[];
  awaitedWith(label: string): string[];
  /** Those of a courier that are expected, or that it is to take. */
  ofCourier(courierId: string, direction: Direction): string[];
  /** Whether a place of the shelf is known and free. */
  isFree(placeId: string): boolean;
  /** The best free place for a parcel that is expected. Undefined: there is none of its size. */
  suggestPlace(reservationId: string): string | undefined;
  /** All parcels, those that came last first, and then those that are expected. */
  list(): Parcel[];
}

/** What a clerk checks before a parcel is handed over. The others were for whoever chose the site. */
const checkedAtCounter: ReadonlySet<ParcelRequirement> = new Set([
  ParcelRequirement.AGE_CHECK,
  ParcelRequirement.ID_CHECK,
  ParcelRequirement.CASH_ON_DELIVERY,
  ParcelRequirement.PERSONAL_COLLECTION,
]);

/** The code of a place of the shelf, for a parcel that has no label. */
export const placeCode = (placeId: string) => `place:${placeId}`;

/** Makes it. */
export function createParcels(store: AgentStore, shelf: Shelf, order: PlaceOrder): Parcels {
  const { counter } = store;

  function allowancesOf(reservationId: string): Allowance[] {
    return store.allowances.of(reservationId).filter((allowance) => allowance.reservationId === reservationId);
  }

  function factsFrom(reservationId: string, allowances: readonly Allowance[]): ParcelFacts {
    const label = counter.parcel(reservationId)?.label ?? "";
    return {
      reservationId,
      sizeClassId: allowances[0]?.sizeClassId ?? "",
      labelCodes: [...new Set([...(allowances[0]?.labelCodes ?? []), ...(label === "" ? [] : [label])])],
      purpose: allowances[0]?.purpose ?? Purpose.UNSPECIFIED,
      courierName: allowances[0]?.participantName ?? "",
      courierId: allowances[0]?.participantId ?? "",
      requirements: (allowances[0]?.requirements ?? []).filter((requirement) => checkedAtCounter.has(requirement)),
      cashDue: allowances[0]?.cashDue,
      collectUntil: allowances.find(({ act }) => act === Act.COLLECT)?.expiresAt,
    };
  }

  function facts(reservationId: string): ParcelFacts {
    const now = allowancesOf(reservationId);
    const kept = now.length > 0 ? undefined : counter.announcedInHand(reservationId);
    return factsFrom(reservationId, kept === undefined ? now : [kept]);
  }

  function onShelf(): { placeId: string; reservationId: string; isMissing: boolean }[] {
    const records = shelf.compartments().map(({ compartmentId }) => store.compartment(compartmentId));
    return records
      .filter(({ reservationId }) => reservationId !== "")
      .map(({ compartmentId: placeId, reservationId, condition }) => ({ placeId, reservationId, isMissing: condition === "IN_DOUBT" }));
  }

  function expected(here: ReadonlySet<string>): Allowance[] {
    return store.allowances
      .all()
      .filter(
        ({ act, state, reservationId }) =>
          act === Act.DEPOSIT && state === ReservationState.CONFIRMED && !here.has(reservationId) && !store.hasEnded(reservationId),
      );
  }

  const isAwaited = (reservationId: string) =>
    counter.parcel(reservationId)?.isForCourier === true || allowancesOf(reservationId).some(awaitsParticipant);
  const has = (label: string) => (reservationId: string) =>
    [...facts(reservationId).labelCodes, reservationId].some((code) => isSame(code, label));
  const here = () => onShelf().map(({ reservationId }) => reservationId);
  const toCome = () => expected(new Set(here())).map(({ reservationId }) => reservationId);

  function isFree(placeId: string): boolean {
    const { condition, reservationId } = store.compartment(placeId);
    const isKnown = shelf.compartments().some(({ compartmentId }) => compartmentId === placeId);
    const isUsable = condition === "OK" && reservationId === "" && !counter.isOccupied(placeId);
    return isKnown && isUsable && counter.openHandOverAt(placeId) === undefined;
  }

  function suggestPlace(reservationId: string): string | undefined {
    const allowances = store.allowances.all().filter(({ act }) => act === Act.DEPOSIT);
    const own = allowances.find((allowance) => allowance.reservationId === reservationId);
    const promised = new Set(allowances.filter((allowance) => allowance !== own).map(({ compartmentId }) => compartmentId));
    const free = shelf
      .compartments()
      .filter((place) => place.sizeClassId === own?.sizeClassId && !promised.has(place.compartmentId) && isFree(place.compartmentId));
    if (own !== undefined && own.compartmentId !== "") return free.find((one) => one.compartmentId === own.compartmentId)?.compartmentId;
    const freeIds = free.map(({ compartmentId }) => compartmentId);
    return order.sort(reservationId, freeIds)[0];
  }

  function shown({ placeId, reservationId, isMissing }: ReturnType<typeof onShelf>[number]): Parcel {
    const { cameAtMs } = counter.parcel(reservationId) ?? {};
    const place = isAwaited(reservationId) ? ParcelPlace.FOR_COURIER : ParcelPlace.ON_SHELF;
    return messageOf(facts(reservationId), {
      place: isMissing ? ParcelPlace.MISSING : place,
      shelfPlace: placeId,
      ...(cameAtMs !== undefined && { cameAt: timestampFromMs(cameAtMs) }),
    });
  }

  return {
    facts,
    keepFacts(reservationId, nowMs) {
      const [announced] = allowancesOf(reservationId);
      if (announced !== undefined) counter.keepInHand(announced, nowMs);
    },
    placeOf: (reservationId) => onShelf().find((parcel) => parcel.reservationId === reservationId)?.placeId,
    isLabelOf(label, { reservationId, placeId }) {
      const { labelCodes } = facts(reservationId);
      const accepted = labelCodes.length > 0 ? labelCodes : [placeCode(placeId)];
      return [...accepted, reservationId].some((code) => isSame(code, label));
    },
    withLabel: (label) => [...here(), ...toCome()].filter(has(label)),
    expectedWith: (label) => toCome().filter(has(label)),
    awaitedWith: (label) => here().filter(has(label)).filter(isAwaited),
    ofCourier(courierId, direction) {
      const all = direction === Direction.OUT ? here().filter(isAwaited) : toCome();
      return all.filter((reservationId) => facts(reservationId).courierId === courierId);
    },
    isFree,
    suggestPlace,
    lying: () => onShelf().filter(({ isMissing }) => !isMissing),
    resolved: () =>
      onShelf()
        .filter(
          ({ placeId, reservationId, isMissing }) =>
            isMissing && !counter.isOccupied(placeId) && allowancesOf(reservationId).every(hasEnded),
        )
        .map(({ placeId }) => placeId),
    list() {
      const lying = onShelf();
      const known = new Set(lying.map(({ reservationId }) => reservationId));
      const cameAt = ({ reservationId }: { reservationId: string }) => counter.parcel(reservationId)?.cameAtMs ?? 0;
      return [
        ...lying.toSorted((one, other) => cameAt(other) - cameAt(one)).map(shown),
        ...expected(known).map((allowance) =>
          messageOf(factsFrom(allowance.reservationId, [allowance]), { place: ParcelPlace.EXPECTED, shelfPlace: allowance.compartmentId }),
        ),
      ];
    },
  };
}

function messageOf(facts: ParcelFacts, where: Pick<Parcel, "place" | "shelfPlace"> & Partial<Pick<Parcel, "cameAt">>): Parcel {
  const { cashDue, collectUntil, labelCodes, requirements, courierId: _, ...rest } = facts;
  return create(ParcelSchema, {
    ...rest,
    ...where,
    labelCodes: [...labelCodes],
    requirements: [...requirements],
    ...(cashDue && { cashDue }),
    ...(collectUntil && { collectUntil }),
  });
}

/** Whether two readings are of one code. */
export function isSame(one: string, other: string): boolean {
  return canonicalLabelCode(one) === canonicalLabelCode(other);
}
