import type { SiteCheck } from "@petak/allocator";
import { ParcelRequirement, PassedOverReason, PetakError } from "@petak/protocol";

/** The error for a site that was named and does not satisfy the request. */
export function siteUnmet(siteId: string, reason: PassedOverReason, { missing }: SiteCheck): PetakError {
  const metadata = { site_id: siteId, subject: siteId };
  switch (reason) {
    case PassedOverReason.PURPOSE:
      return siteNotAccepting(siteId);
    case PassedOverReason.DOES_NOT_FIT:
      return new PetakError("PARCEL_DOES_NOT_FIT", `the parcel fits no size class of site ${siteId}`, { metadata });
    case PassedOverReason.PARCEL_REQUIREMENT: {
      const requirement = nameOf(ParcelRequirement, missing);
      return new PetakError("PARCEL_REQUIREMENT_UNMET", `site ${siteId} does not meet the parcel's requirement ${requirement}`, {
        metadata: { ...metadata, requirement },
      });
    }
    case PassedOverReason.UNKNOWN_AVAILABILITY:
      return new PetakError(
        "AVAILABILITY_UNKNOWN",
        `the last availability report of site ${siteId} has expired; set include_unknown to use it, or name another site`,
        { metadata },
      );
    default: {
      const requirement = nameOf(PassedOverReason, reason);
      return new PetakError("SITE_REQUIREMENT_UNMET", `site ${siteId} does not meet the request's requirements: ${requirement}`, {
        metadata: { ...metadata, requirement },
      });
    }
  }
}

/** The error for a site that takes no reservations now, or not for the purpose. */
export function siteNotAccepting(siteId: string): PetakError {
  return new PetakError("SITE_NOT_ACCEPTING", `site ${siteId} takes no reservations for this purpose now; name another site`, {
    metadata: { site_id: siteId, subject: siteId },
  });
}

/** The name of an enum's value, without the prefix. */
function nameOf(names: Readonly<Record<string, number>>, value: number | undefined): string {
  return Object.entries(names).find(([, number]) => number === value)?.[0] ?? String(value);
}
