import { durationMs, timestampMs } from "@bufbuild/protobuf/wkt";
import type { SiteNeeds } from "@petak/allocator";
import type { SiteRequirements } from "@petak/protocol";

/**
 * Heights of a compartment's centre that `accessible` permits, in mm: the unobstructed forward reach of the 2010 ADA Standards for Accessible Design,
 * 308.2.1, 15 to 48 inches.
 */
const accessibleHeightsMm = { min: 380, max: 1220 } as const;

/** What a request requires of a site, apart from its country, in the form in which the search takes it. */
export function siteNeedsOf(requirements: SiteRequirements): SiteNeeds {
  const { openAt, openWithin, accessible, minCentreHeightMm, maxCentreHeightMm } = requirements;
  return {
    stepFree: requirements.stepFree,
    cardPayment: requirements.cardPayment,
    refrigerated: requirements.refrigerated,
    minCentreHeightMm: accessible ? Math.max(minCentreHeightMm, accessibleHeightsMm.min) : minCentreHeightMm,
    maxCentreHeightMm: accessible ? Math.min(maxCentreHeightMm || accessibleHeightsMm.max, accessibleHeightsMm.max) : maxCentreHeightMm,
    openAtMs: openAt && timestampMs(openAt),
    openWithin: openWithin && window(openWithin),
  };
}

/** The same of what is still to come at a time, in ms since 1970: hours that have passed require nothing any more. */
export function needsLeft(requirements: SiteRequirements, nowMs: number): SiteNeeds {
  const { openAtMs, openWithin, ...needs } = siteNeedsOf(requirements);
  const fromMs = Math.max(openWithin?.fromMs ?? 0, nowMs);
  const isLeft = openWithin !== undefined && fromMs < openWithin.toMs;
  return {
    ...needs,
    openAtMs: openAtMs !== undefined && openAtMs >= nowMs ? openAtMs : undefined,
    openWithin: isLeft ? { fromMs, toMs: openWithin.toMs, atLeastMs: Math.min(openWithin.atLeastMs, openWithin.toMs - fromMs) } : undefined,
  };
}

function window({ from, to, atLeast }: NonNullable<SiteRequirements["openWithin"]>): SiteNeeds["openWithin"] {
  if (from === undefined || to === undefined || atLeast === undefined) throw new TypeError("validation accepted an empty field");
  return { fromMs: timestampMs(from), toMs: timestampMs(to), atLeastMs: durationMs(atLeast) };
}
