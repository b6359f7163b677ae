import { type DeviceEvent, DeviceEventType, type Money, ParcelRequirement, PartyKind, type Reservation } from "@petak/protocol";

/** What a device says it checked before it handed a parcel over, and what it should have checked besides. */
export interface HandOverChecks {
  done: ParcelRequirement[];
  cash: Money | undefined;
  missing: ParcelRequirement[];
}

const R = ParcelRequirement;

/** The requirements that are checked when a consumer collects. The others say what a site must be. */
const checked: readonly ParcelRequirement[] = [R.AGE_CHECK, R.ID_CHECK, R.PERSONAL_COLLECTION, R.CASH_ON_DELIVERY];

/** The checks of a reported collection; undefined for other reports. @param reservation undefined: the report is about none of the site */
export function handOverChecks(event: DeviceEvent, reservation?: Pick<Reservation, "parcel" | "collector">): HandOverChecks | undefined {
  if (event.type !== DeviceEventType.PARCEL_COLLECTED) return undefined;
  const { checksDone: done, cashCollected: cash } = event;
  const { parcel, collector } = reservation ?? {};
  const required = collector?.kind === PartyKind.CONSUMER ? (parcel?.requirements ?? []) : [];
  const isDone = (check: ParcelRequirement) => (check === R.CASH_ON_DELIVERY ? isPaid(parcel?.cashDue, cash) : done.includes(check));
  return { done, cash, missing: checked.filter((check) => required.includes(check) && !isDone(check)) };
}

function isPaid(due: Money | undefined, paid: Money | undefined): boolean {
  // Reservations of earlier releases ask for cash and do not say how much.
  if (due === undefined) return paid !== undefined;
  if (paid?.currencyCode !== due.currencyCode) return false;
  return paid.units > due.units || (paid.units === due.units && paid.nanos >= due.nanos);
}
