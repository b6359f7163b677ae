import { create } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import {
  AgreeCountSchema,
  BeginDeliverySchema,
  CloseDeliverySchema,
  Condition,
  type Counter,
  type DeliveredParcel,
  DeliveredParcelSchema,
  type Delivery,
  Direction,
  EntryRefusal,
  ParcelPlace,
  type ScanParcel,
  ScanParcelSchema,
  UnscanParcelSchema,
} from "@petak/protocol/counter";
import { isSameLabel } from "../counter/labels.ts";
import { randomUuid } from "../ids/random-uuid.ts";
import type { App } from "./app.ts";
import type { DeliveryDraft } from "./draft.ts";

/** A parcel of the list, and whether the agent knows of it. */
export interface ListedParcel {
  readonly parcel: DeliveredParcel;
  readonly isWaiting: boolean;
}

/** A courier is here. */
export async function beginDelivery(app: App, direction: Direction): Promise<void> {
  const deliveryId = randomUuid();
  app.setDraft({ delivery: { deliveryId, direction, step: "scan", unanswered: [] } });
  await app.submit({ case: "beginDelivery", value: create(BeginDeliverySchema, { deliveryId, direction }) });
}

/** How long another tablet is left alone with a delivery that it began, in ms. */
const othersMs = 30 * 60_000;

/** A delivery to go on with here: this tablet's, or one that another tablet left, whose parcels nobody could give out or scan again otherwise. */
export function leftDelivery({ deliveries }: Pick<Counter, "deliveries">, tabletId: string, nowMs: number): Delivery | undefined {
  const beganAtMs = ({ beganAt }: Delivery) => (beganAt === undefined ? 0 : timestampMs(beganAt));
  return deliveries.find((one) => one.tabletId === tabletId) ?? deliveries.find((one) => nowMs - beganAtMs(one) > othersMs);
}

/** All parcels of a delivery, the last one first: those that the agent has answered, and those that wait for it. */
export function listed(app: App, { delivery, unanswered }: DeliveryDraft): readonly ListedParcel[] {
  const waiting = unanswered.map((scan) => ({ isWaiting: true, parcel: foresee(app, scan) }));
  const labels = new Set(unanswered.map(({ label }) => label));
  const answered = (delivery?.parcels ?? []).filter(({ label }) => !labels.has(label)).map((parcel) => ({ parcel, isWaiting: false }));
  return [...answered, ...waiting].reverse();
}

/** How many parcels of a list change hands. */
export function countMoved(list: readonly ListedParcel[]): number {
  return list.filter(({ parcel }) => parcel.condition !== Condition.REFUSED).length;
}

/** What the agent will most likely say of a scan, by the parcels that it told this tablet of. */
function foresee(app: App, { label, condition, refusalReason, shelfPlace, photoId }: ScanParcel): DeliveredParcel {
  const known = app.parcels.find(({ labelCodes }) => labelCodes.some((code) => isSameLabel(code, label)));
  return create(DeliveredParcelSchema, {
    label,
    condition,
    refusalReason,
    photoId,
    reservationId: known?.reservationId ?? "",
    shelfPlace: shelfPlace || known?.shelfPlace || "",
    sizeClassId: known?.sizeClassId ?? "",
  });
}

/** Whether this tablet knows that a parcel is on the way here, or waits here for a courier. */
function isKnown(app: App, direction: Direction, label: string): boolean {
  const place = direction === Direction.IN ? ParcelPlace.EXPECTED : ParcelPlace.FOR_COURIER;
  return app.parcels.some((parcel) => parcel.place === place && parcel.labelCodes.some((code) => isSameLabel(code, label)));
}

/** Something was scanned on the screen of a delivery: a parcel, or at its end the courier's code. */
export async function scanForDelivery(app: App, label: string): Promise<void> {
  const draft = app.draft.delivery;
  if (draft === undefined) return;
  if (draft.step === "sign") return await closeDelivery(app, label);
  if (draft.step !== "scan") return;
  if (app.isReachable === false && !isKnown(app, draft.direction, label)) {
    return app.setDraft({ delivery: { ...draft, refusal: EntryRefusal.CANNOT_ASK, lastLabel: label } });
  }
  await sayOfParcel(app, { label });
}

/** Says of a parcel what is the case: scans it, or replaces what was said of it. */
export async function sayOfParcel(app: App, facts: Pick<ScanParcel, "label"> & Partial<ScanParcel>): Promise<void> {
  const draft = app.draft.delivery;
  if (draft === undefined) return;
  const before = listed(app, draft).find(({ parcel }) => parcel.label === facts.label)?.parcel;
  const { condition = Condition.GOOD, refusalReason, shelfPlace, photoId } = { ...before, ...facts };
  const scan = create(ScanParcelSchema, {
    deliveryId: draft.deliveryId,
    label: facts.label,
    condition,
    refusalReason,
    shelfPlace,
    photoId,
  });
  const others = draft.unanswered.filter(({ label }) => label !== facts.label);
  app.setDraft({ delivery: { ...draft, unanswered: [...others, scan], lastLabel: facts.label, refusal: undefined } });
  await app.submit({ case: "scanParcel", value: scan });
}

/** A parcel was scanned by mistake. */
export async function unscan(app: App, label: string): Promise<void> {
  const draft = app.draft.delivery;
  if (draft === undefined) return;
  const delivery = draft.delivery && { ...draft.delivery, parcels: draft.delivery.parcels.filter((one) => one.label !== label) };
  const unanswered = draft.unanswered.filter((one) => one.label !== label);
  app.setDraft({ delivery: { ...draft, delivery, unanswered, openLabel: undefined, lastLabel: undefined } });
  await app.submit({ case: "unscanParcel", value: create(UnscanParcelSchema, { deliveryId: draft.deliveryId, label }) });
}

/** Goes to another step, or opens a parcel of the list. */
export function changeDelivery(app: App, parts: Partial<DeliveryDraft>): void {
  const draft = app.draft.delivery;
  if (draft !== undefined) app.setDraft({ delivery: { ...draft, refusal: undefined, ...parts } });
}

/** Clerk and courier have counted the same. */
export async function agreeCount(app: App): Promise<void> {
  const draft = app.draft.delivery;
  if (draft === undefined) return;
  changeDelivery(app, { step: "sign" });
  const count = countMoved(listed(app, draft));
  await app.submit({ case: "agreeCount", value: create(AgreeCountSchema, { deliveryId: draft.deliveryId, count }) });
}

/** The courier's code was scanned; or the delivery ends without it. @param courierCode empty: there is none */
export async function closeDelivery(app: App, courierCode: string): Promise<void> {
  const draft = app.draft.delivery;
  if (draft === undefined) return;
  const { deliveryId } = draft;
  const entryId = await app.submit({ case: "closeDelivery", value: create(CloseDeliverySchema, { deliveryId, courierCode }) });
  if (entryId !== undefined && app.isReachable === false && app.draft.delivery?.deliveryId === deliveryId)
    changeDelivery(app, { step: "closed" });
}
