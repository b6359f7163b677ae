import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Act, type Money } from "@petak/protocol";
import {
  type EndHandOver,
  EndReason,
  EntryRefusal,
  type EntryResult,
  EntryResultSchema,
  type HandOver,
  HandOverSchema,
  type MoveParcel,
  ParcelPlace,
} from "@petak/protocol/counter";
import { randomUuid } from "../../ids/random-uuid.ts";
import type { MadeUpParcel } from "./made-up.ts";
import { byLabel, change, isHere, remove, type Shelf } from "./shelf.ts";

/** The hand-overs and take-ins of the made-up store. */
export interface HandOvers {
  readonly open: { handOver: HandOver; one: MadeUpParcel; code: string }[];
  /** Is called for each parcel that changed hands, with the cash that was received. */
  readonly onMoved: (act: Act, cash: Money | undefined) => void;
}

const refuse = (refusal: EntryRefusal): EntryResult => create(EntryResultSchema, { refusal });

/** Judges a code that a person shows. */
export function showCode(
  { open }: HandOvers,
  shelf: Shelf,
  code: string,
  by: { clerkId: string; tabletId: string; nowMs: number },
): EntryResult {
  const all = shelf.all.filter((one) => one.code === code && (isHere(one.parcel) || one.parcel.place === ParcelPlace.EXPECTED));
  const [one] = all;
  if (one === undefined) return refuse(EntryRefusal.CODE_NOT_ACCEPTED);
  const { parcel } = one;
  const isTakeIn = parcel.place === ParcelPlace.EXPECTED;
  const handOver = create(HandOverSchema, {
    handOverId: randomUuid(),
    act: isTakeIn ? Act.DEPOSIT : Act.COLLECT,
    shelfPlace: parcel.shelfPlace,
    labelEnding: parcel.labelCodes[0]?.slice(-3) ?? "",
    number: 1,
    of: all.length,
    requirements: [...parcel.requirements],
    cashDue: parcel.cashDue,
    clerkId: by.clerkId,
    tabletId: by.tabletId,
    beganAt: timestampFromMs(by.nowMs),
  });
  open.splice(0, open.length, { handOver, one, code });
  return create(EntryResultSchema, { handOver });
}

/** A parcel is scanned, and changes hands. */
export function moveParcel(
  handOvers: HandOvers,
  shelf: Shelf,
  { handOverId, label, checksDone, cashCollected }: MoveParcel,
  nowMs: number,
): EntryResult {
  const index = handOvers.open.findIndex(({ handOver }) => handOver.handOverId === handOverId);
  const found = handOvers.open[index];
  if (found === undefined) return refuse(EntryRefusal.OVER);
  const { handOver, one, code } = found;
  if (byLabel(shelf, label) !== one && label !== `place:${handOver.shelfPlace}`) return refuse(EntryRefusal.WRONG_PARCEL);
  const isChecked = handOver.requirements.every((asked) => checksDone.includes(asked));
  if (!isChecked || handOver.cashDue?.units !== cashCollected?.units) return refuse(EntryRefusal.CHECK_MISSING);
  handOvers.open.splice(index, 1);
  handOvers.onMoved(handOver.act, cashCollected);
  if (handOver.act === Act.DEPOSIT) {
    change(shelf, one, { place: ParcelPlace.FOR_COURIER, cameAt: timestampFromMs(nowMs) });
    return create(EntryResultSchema);
  }
  remove(shelf, one);
  if (handOver.number === handOver.of) return create(EntryResultSchema);
  const result = showCode(handOvers, shelf, code, { ...handOver, nowMs });
  if (result.handOver !== undefined) Object.assign(result.handOver, { number: handOver.number + 1, of: handOver.of });
  return result;
}

/** A hand-over ends without its parcel. */
export function endHandOver({ open }: HandOvers, shelf: Shelf, { handOverId, reason }: EndHandOver): EntryResult {
  const index = open.findIndex(({ handOver }) => handOver.handOverId === handOverId);
  const [found] = index < 0 ? [] : open.splice(index, 1);
  if (found === undefined) return refuse(EntryRefusal.OVER);
  if (reason === EndReason.CANNOT_FIND) change(shelf, found.one, { place: ParcelPlace.MISSING });
  if (reason === EndReason.REFUSED_BY_PERSON) change(shelf, found.one, { place: ParcelPlace.FOR_COURIER });
  return create(EntryResultSchema);
}
