import type { Site } from "@petak/protocol";
import type { CabinetCompartment } from "./cabinet.ts";

/** The compartments of a site, or one for each place if it lists none. */
export function compartmentsOf(site: Site): CabinetCompartment[] {
  if (site.compartments.length > 0) return site.compartments;
  return site.sizeClasses.flatMap(({ sizeClassId, installed }) =>
    Array.from({ length: installed }, (_, index) => ({ compartmentId: `${sizeClassId}-${index + 1}`, sizeClassId })),
  );
}
