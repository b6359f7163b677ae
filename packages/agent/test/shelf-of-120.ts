import { randomUUID } from "node:crypto";
import { Act } from "@petak/protocol";
import { Direction } from "@petak/protocol/counter";
import type { TestStore } from "./store.ts";

/** The places of a shelf of 120, in its order: 80 of S and 40 of L. */
export const shelfOf120 = Array.from({ length: 120 }, (_, at) => ({
  compartmentId: `${"ABCDEF"[Math.floor(at / 20)]}${String((at % 20) + 1).padStart(2, "0")}`,
  sizeClassId: at < 80 ? "S" : "L",
}));

/** Announces a parcel. */
export async function announce({ gateway }: TestStore, label: string, sizeClassId = "S"): Promise<string> {
  const reservationId = gateway.newReservation();
  const changes = { act: Act.DEPOSIT, labelCodes: [label], participantId: "par_w8ase5n2ehjkbmbe", sizeClassId };
  await gateway.allowPin(reservationId, String(10_000_000 + gateway.allowances.length), changes);
  return reservationId;
}

/** Scans a parcel of a courier; the place that it gets, or `refusal`. */
export async function scan(store: TestStore, deliveryId: string, label: string, shelfPlace = ""): Promise<string> {
  const { delivery, refusal } = await store.does({ case: "scanParcel", value: { deliveryId, label, shelfPlace } });
  const parcel = delivery?.parcels.find((one) => one.label === label);
  return parcel?.shelfPlace ?? `refusal ${refusal}`;
}

/** Begins a courier's delivery, when the store has heard of what was announced. */
export async function begin(store: TestStore): Promise<string> {
  await store.agent.syncNow();
  const deliveryId = randomUUID();
  await store.does({ case: "beginDelivery", value: { deliveryId, direction: Direction.IN } });
  return deliveryId;
}

/** Ends it without the courier's signature. */
export const close = (store: TestStore, deliveryId: string) => store.does({ case: "closeDelivery", value: { deliveryId } });
