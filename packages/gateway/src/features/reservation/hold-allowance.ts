import type { HoldLimits as OwnLimits } from "@petak/protocol";
import type { HoldLimits } from "@petak/records";

/** The most unconfirmed holds of a participant. */
export interface HoldAllowance extends HoldLimits {
  /** Holds in all regions. */
  allMost: number;
}

/** The settings `holdsSiteMin`, `holdsSitePercent`, `holdsRegionMax` and `holdsAllMax`, whose documentation explains them, by default. */
export const defaultHoldAllowance: Readonly<HoldAllowance> = { siteLeast: 5, sitePercent: 50, regionMost: 1000, allMost: 5000 };

/** The settings of a gateway for all participants. */
export interface HoldSettings {
  holdsSiteMin?: number;
  holdsSitePercent?: number;
  holdsRegionMax?: number;
  holdsAllMax?: number;
}

/** The allowance of a participant for which nothing else is set. */
export function allowanceOf({ holdsSiteMin, holdsSitePercent, holdsRegionMax, holdsAllMax }: HoldSettings): Readonly<HoldAllowance> {
  const { siteLeast, sitePercent, regionMost, allMost } = defaultHoldAllowance;
  return {
    siteLeast: holdsSiteMin ?? siteLeast,
    sitePercent: holdsSitePercent ?? sitePercent,
    regionMost: holdsRegionMax ?? regionMost,
    allMost: holdsAllMax ?? allMost,
  };
}

/** The allowance of a participant that may have limits of its own, of which 0 means that of the settings. */
export function withOwnLimits(allowance: Readonly<HoldAllowance>, own: OwnLimits | undefined): Readonly<HoldAllowance> {
  if (own === undefined) return allowance;
  const { siteMin, sitePercent, regionMax, allMax } = own;
  return {
    siteLeast: siteMin || allowance.siteLeast,
    sitePercent: sitePercent || allowance.sitePercent,
    regionMost: regionMax || allowance.regionMost,
    allMost: allMax || allowance.allMost,
  };
}
