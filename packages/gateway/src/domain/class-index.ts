import type { Reservation } from "@petak/protocol";
import type { SiteRecord, StoredTransition } from "@petak/records";

/** The index of a size class among those of its site; undefined where the operator has taken it away since. */
export function findClassIndex({ site }: Pick<SiteRecord, "site">, sizeClassId: string): number | undefined {
  const index = site.sizeClasses.findIndex((sizeClass) => sizeClass.sizeClassId === sizeClassId);
  return index < 0 ? undefined : index;
}

/** The index of a size class in which a place is held or occupied: such a class stays where it is. */
export function classIndexOf(stored: Pick<SiteRecord, "site">, sizeClassId: string): number {
  const index = findClassIndex(stored, sizeClassId);
  if (index === undefined) throw new Error(`site ${stored.site.siteId} has no size class ${sizeClassId}`);
  return index;
}

/**
 * Where a transition changes the counts of a reservation's size class. The operator may have taken a class away in which nothing was held or occupied any
 * more: there is no count to change then.
 */
export function countedAt(
  stored: Pick<SiteRecord, "site">,
  { sizeClassId }: Reservation,
  { heldChange, occupiedChange }: Pick<StoredTransition, "heldChange" | "occupiedChange">,
): Pick<StoredTransition, "classIndex" | "heldChange" | "occupiedChange"> {
  const classIndex = findClassIndex(stored, sizeClassId);
  return classIndex === undefined ? { classIndex: 0, heldChange: 0, occupiedChange: 0 } : { classIndex, heldChange, occupiedChange };
}
