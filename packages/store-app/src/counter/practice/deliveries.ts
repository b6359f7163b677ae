import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  Condition,
  type DeliveredParcel,
  DeliveredParcelSchema,
  type Delivery,
  DeliverySchema,
  Direction,
  EntryRefusal,
  type EntryResult,
  EntryResultSchema,
  ParcelPlace,
  type ScanParcel,
} from "@petak/protocol/counter";
import { madeUpCourierCode } from "./made-up.ts";
import { byLabel, change, remove, type Shelf } from "./shelf.ts";

const refuse = (refusal: EntryRefusal): EntryResult => create(EntryResultSchema, { refusal });
const isMoved = ({ condition }: DeliveredParcel): boolean => condition !== Condition.REFUSED;

/** The deliveries of the made-up store that are under way. */
export type Deliveries = Map<string, Delivery>;

/** Whether a parcel may be on a list of this direction. */
const isOf = (direction: Direction, place: ParcelPlace): boolean =>
  direction === Direction.IN ? place === ParcelPlace.EXPECTED : place === ParcelPlace.FOR_COURIER;

function answer(delivery: Delivery, shelf: Shelf): EntryResult {
  const scanned = new Set(delivery.parcels.map(({ reservationId }) => reservationId));
  delivery.notScanned = shelf.all.filter(
    ({ parcel, code }) => isOf(delivery.direction, parcel.place) && code === "" && !scanned.has(parcel.reservationId),
  ).length;
  return create(EntryResultSchema, { delivery });
}

export function beginDelivery(
  deliveries: Deliveries,
  shelf: Shelf,
  init: { deliveryId: string; direction: Direction; clerkId: string; nowMs: number },
): EntryResult {
  const { deliveryId, direction, clerkId, nowMs } = init;
  const delivery = create(DeliverySchema, {
    deliveryId,
    direction,
    clerkId,
    courierName: "Jalan Express",
    beganAt: timestampFromMs(nowMs),
  });
  deliveries.set(deliveryId, delivery);
  return answer(delivery, shelf);
}

export function scanParcel(deliveries: Deliveries, shelf: Shelf, scan: ScanParcel): EntryResult {
  const delivery = deliveries.get(scan.deliveryId);
  if (delivery === undefined) return refuse(EntryRefusal.OVER);
  const one = byLabel(shelf, scan.label);
  const isRefused = scan.condition === Condition.REFUSED;
  if (one === undefined && !isRefused) return refuse(EntryRefusal.NOT_ANNOUNCED);
  if (one !== undefined && !isOf(delivery.direction, one.parcel.place)) return refuse(EntryRefusal.IN_USE);
  const parcel = create(DeliveredParcelSchema, {
    label: scan.label,
    reservationId: one?.parcel.reservationId ?? "",
    condition: scan.condition === Condition.UNSPECIFIED ? Condition.GOOD : scan.condition,
    refusalReason: scan.refusalReason,
    shelfPlace: scan.shelfPlace || one?.parcel.shelfPlace || "",
    sizeClassId: one?.parcel.sizeClassId ?? "",
    photoId: scan.photoId,
  });
  const index = delivery.parcels.findIndex(({ label }) => label === scan.label);
  if (index < 0) delivery.parcels.push(parcel);
  else delivery.parcels[index] = parcel;
  return answer(delivery, shelf);
}

export function unscanParcel(deliveries: Deliveries, shelf: Shelf, deliveryId: string, label: string): EntryResult {
  const delivery = deliveries.get(deliveryId);
  if (delivery === undefined) return refuse(EntryRefusal.OVER);
  delivery.parcels = delivery.parcels.filter((parcel) => parcel.label !== label);
  return answer(delivery, shelf);
}

export function agreeCount(deliveries: Deliveries, shelf: Shelf, deliveryId: string, count: number): EntryResult {
  const delivery = deliveries.get(deliveryId);
  if (delivery === undefined) return refuse(EntryRefusal.OVER);
  if (delivery.parcels.filter(isMoved).length !== count) return refuse(EntryRefusal.COUNT_DIFFERS);
  delivery.storeCode = `PRACTICE:${deliveryId}:${count}`;
  delivery.listHash = deliveryId.replaceAll("-", "");
  return answer(delivery, shelf);
}

/** Ends a delivery, and moves its parcels. @returns how many changed hands, with the answer */
export function closeDelivery(
  deliveries: Deliveries,
  shelf: Shelf,
  deliveryId: string,
  code: string,
  nowMs: number,
): { moved: number; result: EntryResult } {
  const delivery = deliveries.get(deliveryId);
  if (delivery === undefined) return { moved: 0, result: refuse(EntryRefusal.OVER) };
  if (code !== "" && code !== madeUpCourierCode) return { moved: 0, result: refuse(EntryRefusal.LIST_DIFFERS) };
  const moved = delivery.parcels.filter(isMoved);
  for (const { label, shelfPlace, condition } of moved) {
    const one = byLabel(shelf, label);
    if (one === undefined) continue;
    const isDamaged = condition === Condition.DAMAGED;
    if (delivery.direction === Direction.OUT) remove(shelf, one);
    else change(shelf, one, { place: ParcelPlace.ON_SHELF, shelfPlace, isDamaged, cameAt: timestampFromMs(nowMs) });
  }
  delivery.isSigned = code !== "";
  deliveries.delete(deliveryId);
  return { moved: moved.length, result: answer(delivery, shelf) };
}
