import { invalidField, type Parcel, ParcelRequirement } from "@petak/protocol";

/**
 * Throws unless a parcel states an amount due if and only if it asks for cash on delivery.
 *
 * @throws {PetakError} INVALID_FIELD
 */
export function refuseUnstatedCash({ requirements, cashDue }: Pick<Parcel, "requirements" | "cashDue">): void {
  const asksForCash = requirements.includes(ParcelRequirement.CASH_ON_DELIVERY);
  if (asksForCash && cashDue === undefined) {
    throw invalidField("parcel.cash_due", "must be set, since the parcel requires CASH_ON_DELIVERY", "reserve.cash_due_is_stated");
  }
  if (cashDue === undefined) return;
  if (!asksForCash) {
    throw invalidField("parcel.cash_due", "must not be set without the requirement CASH_ON_DELIVERY", "reserve.cash_due_is_required");
  }
  if (cashDue.units === 0n && cashDue.nanos === 0) {
    throw invalidField("parcel.cash_due", "must be more than 0", "reserve.cash_due_is_positive");
  }
}
