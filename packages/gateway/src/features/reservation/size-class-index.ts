import type { Site } from "@petak/protocol";

/** The index of a size class in which a place is held or occupied: such a class keeps its index. */
export function sizeClassIndexOf({ siteId, sizeClasses }: Site, sizeClassId: string): number {
  const index = sizeClasses.findIndex((sizeClass) => sizeClass.sizeClassId === sizeClassId);
  if (index < 0) throw new Error(`site ${siteId} has no size class ${sizeClassId}`);
  return index;
}
