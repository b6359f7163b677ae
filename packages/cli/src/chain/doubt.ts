import { DoubtReason, type Event, EventType } from "@petak/protocol";
import { nameIn } from "./name-in.ts";

const reasons: ReadonlyMap<DoubtReason, string> = new Map([
  [DoubtReason.REPORTED, "the sensors do not tell"],
  [DoubtReason.CONTRADICTION, "against the record"],
  [DoubtReason.CREDENTIAL_NOT_ISSUED, "with a credential that was never issued"],
  [DoubtReason.PRESENCE_NOT_PROVEN, "without a proof that the holder of the token's key was there"],
]);

/** Why there is doubt, in words: `PARCEL_COLLECTED reported with a credential that was never issued`. Empty: the event does not say. */
export function describeDoubt({ doubtReason, reportedType }: Event): string {
  if (doubtReason === DoubtReason.UNSPECIFIED) return "";
  const why = reasons.get(doubtReason) ?? nameIn(DoubtReason, doubtReason);
  return reportedType === EventType.UNSPECIFIED ? why : `${nameIn(EventType, reportedType)} reported ${why}`;
}
