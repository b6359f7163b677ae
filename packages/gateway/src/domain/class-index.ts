import type { StoredSite } from "@petak/allocator";

/** The index of a size class among those of its site; undefined where the operator has taken it away since. */
export function findClassIndex({ site }: StoredSite, sizeClassId: string): number | undefined {
  const index = site.sizeClasses.findIndex((sizeClass) => sizeClass.sizeClassId === sizeClassId);
  return index < 0 ? undefined : index;
}

/** The index of a size class in which a place is held or occupied: such a class stays where it is. */
export function classIndexOf(stored: StoredSite, sizeClassId: string): number {
  const index = findClassIndex(stored, sizeClassId);
  if (index === undefined) throw new Error(`site ${stored.site.siteId} has no size class ${sizeClassId}`);
  return index;
}
