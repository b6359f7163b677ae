import { invalidField, type Site, type SiteCapacity } from "@petak/protocol";
import type { ClassReport } from "@petak/records";

/** How far a site's clock may be ahead of the gateway's, in ms. */
const clockSkewMaxMs = 30_000;

/**
 * Refuses an observation in the future.
 *
 * @param path path of the site in the request, e.g. `sites[3]`
 * @throws {PetakError} INVALID_FIELD.
 */
export function refuseFuture(observedAtMs: number, nowMs: number, path: string): void {
  if (observedAtMs <= nowMs + clockSkewMaxMs) return;
  throw invalidField(
    `${path}.observed_at`,
    `${new Date(observedAtMs).toISOString()} is more than ${clockSkewMaxMs / 1000} s ahead of the gateway's clock, ${new Date(nowMs).toISOString()}`,
    "site_capacity.observed_at_not_ahead",
  );
}

/**
 * The reported counts of each size class, in the site's order.
 *
 * @param path path of the site in the request, e.g. `sites[3]`
 * @throws {PetakError} INVALID_FIELD if a size class is missing, repeated or unknown, or if its numbers do not add up to the places installed.
 */
export function reportedClasses({ siteId, sizeClasses }: Site, reported: SiteCapacity["sizeClasses"], path: string): ClassReport[] {
  const places = new Map(sizeClasses.map(({ sizeClassId, installed }) => [sizeClassId, installed]));
  const found = new Map<string, ClassReport>();
  reported.forEach(({ sizeClassId, free, occupied, outOfService }, index) => {
    const field = `${path}.size_classes[${index}]`;
    const installed = places.get(sizeClassId);
    if (installed === undefined) {
      throw invalidField(`${field}.size_class_id`, `site ${siteId} has no size class ${sizeClassId}`, "site_capacity.size_class_known");
    }
    if (found.has(sizeClassId)) {
      throw invalidField(`${field}.size_class_id`, `must be distinct: ${sizeClassId} occurs twice`, "site_capacity.size_classes_distinct");
    }
    if (free + occupied + outOfService !== installed) {
      throw invalidField(
        field,
        `free ${free}, occupied ${occupied} and out_of_service ${outOfService} must add up to the ${installed} places installed`,
        "site_capacity.adds_up",
      );
    }
    found.set(sizeClassId, { occupied, outOfService });
  });
  return sizeClasses.map(({ sizeClassId }) => {
    const report = found.get(sizeClassId);
    if (report === undefined) {
      throw invalidField(`${path}.size_classes`, `size class ${sizeClassId} is missing`, "site_capacity.size_classes_complete");
    }
    return report;
  });
}
