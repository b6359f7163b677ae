import { create } from "@bufbuild/protobuf";
import {
  Direction,
  type EndShift,
  type Entry,
  EntryRefusal,
  type EntryResult,
  EntryResultSchema,
  ParcelPlace,
  type PlaceParcel,
  ShiftCountSchema,
} from "@petak/protocol/counter";
import { agreeCount, beginDelivery, closeDelivery, scanParcel, unscanParcel } from "./deliveries.ts";
import { endHandOver, moveParcel, showCode } from "./hand-overs.ts";
import { noCash, type PracticeState } from "./practice-state.ts";
import { change, isHere } from "./shelf.ts";

/** Does what an entry says, as an agent would. */
export function applyEntry(state: PracticeState, { action, clerkId }: Entry): EntryResult {
  const { shelf, handOvers, deliveries, tally, tabletId } = state;
  const nowMs = state.now();
  switch (action.case) {
    case "showCode":
      return showCode(handOvers, shelf, action.value.text, { clerkId, tabletId, nowMs });
    case "moveParcel":
      return moveParcel(handOvers, shelf, action.value, nowMs);
    case "endHandOver":
      return endHandOver(handOvers, shelf, action.value);
    case "beginDelivery":
      return beginDelivery(deliveries, shelf, { ...action.value, clerkId, nowMs });
    case "scanParcel":
      return scanParcel(deliveries, shelf, action.value);
    case "unscanParcel":
      return unscanParcel(deliveries, shelf, action.value.deliveryId, action.value.label);
    case "agreeCount":
      return agreeCount(deliveries, shelf, action.value.deliveryId, action.value.count);
    case "closeDelivery":
      return close(state, action.value.deliveryId, action.value.courierCode);
    case "setIntake":
      state.intake = action.value;
      return create(EntryResultSchema);
    case "beginShift":
      tally.shiftBeganAtMs = nowMs;
      tally.cash = noCash();
      return create(EntryResultSchema);
    case "endShift":
      return endShift(state, action.value);
    case "placeParcel":
      return place(state, action.value);
    default:
      return create(EntryResultSchema, { refusal: EntryRefusal.OVER });
  }
}

function close({ shelf, deliveries, tally, now }: PracticeState, deliveryId: string, code: string): EntryResult {
  const isIn = deliveries.get(deliveryId)?.direction === Direction.IN;
  const { moved, result } = closeDelivery(deliveries, shelf, deliveryId, code, now());
  if (isIn) tally.accepted += moved;
  else tally.givenBack += moved;
  return result;
}

function endShift({ shelf, tally }: PracticeState, { labels, counted }: EndShift): EntryResult {
  const here = shelf.all.filter(({ parcel }) => isHere(parcel));
  const missing = counted === undefined ? here.filter(({ parcel }) => !parcel.labelCodes.some((label) => labels.includes(label))) : [];
  const shiftCount = create(ShiftCountSchema, {
    missing: missing.map(({ parcel }) => parcel.reservationId),
    surplus: labels.filter((label) => !here.some(({ parcel }) => parcel.labelCodes.includes(label))),
    expected: here.length,
    counted: counted ?? labels.length,
    cashExpected: [tally.cash],
  });
  tally.shiftBeganAtMs = undefined;
  return create(EntryResultSchema, { shiftCount });
}

function place({ shelf }: PracticeState, { reservationId, shelfPlace }: PlaceParcel): EntryResult {
  const one = shelf.all.find(({ parcel }) => parcel.reservationId === reservationId);
  if (one === undefined) return create(EntryResultSchema, { refusal: EntryRefusal.ENDED });
  const isFound = one.parcel.place === ParcelPlace.MISSING;
  change(shelf, one, { shelfPlace, place: isFound ? ParcelPlace.ON_SHELF : one.parcel.place });
  return create(EntryResultSchema);
}
