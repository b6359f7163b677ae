import { EntryRefusal } from "@petak/protocol/counter";
import type { PlainKey } from "../words/english.ts";

const words: Readonly<Record<EntryRefusal, PlainKey>> = {
  [EntryRefusal.UNSPECIFIED]: "refusedUnknown",
  [EntryRefusal.CODE_NOT_ACCEPTED]: "refusedCode",
  [EntryRefusal.LOCKED_OUT]: "refusedLockedOut",
  [EntryRefusal.WRONG_PARCEL]: "refusedWrongParcel",
  [EntryRefusal.CHECK_MISSING]: "refusedCheckMissing",
  [EntryRefusal.OVER]: "refusedOver",
  [EntryRefusal.NOT_ANNOUNCED]: "refusedNotAnnounced",
  [EntryRefusal.CANNOT_ASK]: "refusedCannotAsk",
  [EntryRefusal.OTHER_SITE]: "refusedOtherSite",
  [EntryRefusal.ENDED]: "refusedEnded",
  [EntryRefusal.NO_PLACE]: "refusedNoPlace",
  [EntryRefusal.COUNT_DIFFERS]: "refusedCount",
  [EntryRefusal.LIST_DIFFERS]: "refusedList",
  [EntryRefusal.OUT_OF_ORDER]: "refusedOutOfOrder",
  [EntryRefusal.OTHER_TABLET]: "refusedOtherTablet",
  [EntryRefusal.OWNER_ONLY]: "refusedOwnerOnly",
  [EntryRefusal.IN_USE]: "refusedInUse",
  [EntryRefusal.NOT_CONFIRMED]: "refusedNotConfirmed",
  [EntryRefusal.LEASE_AWAY]: "refusedLeaseAway",
  [EntryRefusal.CONTRADICTED]: "refusedContradicted",
};

/** The sentence for a refusal. A reason of a later agent is one that this app does not know. */
export function refusalWords(refusal: EntryRefusal): PlainKey {
  return words[refusal] ?? "refusedUnknown";
}
