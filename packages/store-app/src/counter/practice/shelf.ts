import { type Parcel, ParcelPlace } from "@petak/protocol/counter";
import { isSameLabel } from "../labels.ts";
import { type MadeUpParcel, madeUpPlaces, makeUpParcels } from "./made-up.ts";

/** The made-up shelf. */
export interface Shelf {
  readonly all: MadeUpParcel[];
  /** Rises with each change. */
  version: bigint;
}

export function createShelf(nowMs: number): Shelf {
  return { all: makeUpParcels(nowMs), version: 1n };
}

/** Whether a parcel is in the store. */
export function isHere({ place }: Parcel): boolean {
  return place === ParcelPlace.ON_SHELF || place === ParcelPlace.FOR_COURIER;
}

/** The parcel with a label, or on the place whose code was scanned. */
export function byLabel(shelf: Shelf, label: string): MadeUpParcel | undefined {
  return shelf.all.find(
    ({ parcel }) =>
      parcel.labelCodes.some((code) => isSameLabel(code, label)) || (isHere(parcel) && `place:${parcel.shelfPlace}` === label),
  );
}

/** Changes what is known of a parcel. */
export function change(shelf: Shelf, { parcel }: MadeUpParcel, facts: Partial<Parcel>): void {
  Object.assign(parcel, facts);
  shelf.version += 1n;
}

/** Takes a parcel out of the store. */
export function remove(shelf: Shelf, one: MadeUpParcel): void {
  shelf.all.splice(shelf.all.indexOf(one), 1);
  shelf.version += 1n;
}

/** How many places of a size are free. */
export function freePlaces(shelf: Shelf, sizeClassId: string): number {
  return (madeUpPlaces[sizeClassId] ?? 0) - shelf.all.filter(({ parcel }) => parcel.sizeClassId === sizeClassId).length;
}
