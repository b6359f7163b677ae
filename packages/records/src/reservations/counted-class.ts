import type { Transition } from "@petak/lifecycle";
import type { FiledSite } from "../sites/site-record.ts";

/** The counts that a transition changes: the index of a size class of the site, and the changes of its held and its occupied places. */
export interface CountChange {
  classIndex: number;
  heldChange: number;
  occupiedChange: number;
}

/**
 * Finds the counts that a transition changes. An operator may have removed the size class since, as soon as no place of it was held or occupied: then
 * there is no count to change.
 */
export function countChangeOf({ site }: FiledSite, { before, heldChange, occupiedChange }: Transition): CountChange {
  const classIndex = site.sizeClasses.findIndex(({ sizeClassId }) => sizeClassId === before.sizeClassId);
  return classIndex < 0 ? { classIndex: 0, heldChange: 0, occupiedChange: 0 } : { classIndex, heldChange, occupiedChange };
}
