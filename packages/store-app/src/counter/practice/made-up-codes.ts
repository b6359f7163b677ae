import { Direction, ParcelPlace } from "@petak/protocol/counter";
import type { NextScan } from "../port.ts";
import { madeUpCourierCode, strangeLabel } from "./made-up.ts";
import type { PracticeState } from "./practice-state.ts";
import { isHere } from "./shelf.ts";

/** A code that opens nothing, and a courier's that signs nothing. */
const wrongCode = "000000";
const wrongCourierCode = "COURIER-0";

/** What could be scanned next, with one that is wrong: whoever practises meets that too. */
export function madeUpCodes({ shelf, handOvers, deliveries }: PracticeState, next: NextScan): readonly string[] {
  const labels = shelf.all.map(({ parcel, code }) => ({
    label: parcel.labelCodes[0] ?? "",
    place: parcel.place,
    code,
    isHere: isHere(parcel),
  }));
  switch (next.of) {
    case "code":
      return [
        ...new Set(labels.filter(({ code, place }) => code !== "" && place !== ParcelPlace.MISSING).map(({ code }) => code)),
        wrongCode,
      ];
    case "parcel": {
      const own = handOvers.open.find(({ handOver }) => handOver.handOverId === next.handOverId)?.one.parcel.labelCodes[0];
      return own === undefined ? [] : [own, strangeLabel];
    }
    case "delivery": {
      const delivery = deliveries.get(next.deliveryId);
      const from = delivery?.direction === Direction.OUT ? ParcelPlace.FOR_COURIER : ParcelPlace.EXPECTED;
      const isScanned = (label: string): boolean => delivery?.parcels.some((one) => one.label === label) ?? false;
      const open = labels.filter(
        ({ place, label, code }) => place === from && !isScanned(label) && (from === ParcelPlace.FOR_COURIER || code === ""),
      );
      return [...open.map(({ label }) => label), strangeLabel];
    }
    case "courier":
      return [madeUpCourierCode, wrongCourierCode];
    case "shelf":
      return labels.filter((one) => one.isHere).map(({ label }) => label);
  }
}
